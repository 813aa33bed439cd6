import email

import pytest

from ctm.sources.files import decode_source, is_in_shard, path_reject_reason
from ctm.sources.pypi.licenses import stated_license


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("src/flask/app.py", ""),
        ("numpy/testing.py", ""),
        ("latest/contest.py", ""),
        ("tests/test_app.py", "test file"),
        ("pkg/test/support.py", "test file"),
        ("pkg/conftest.py", "test file"),
        ("pkg/app_test.py", "test file"),
        ("pip/_vendor/rich/text.py", "vendored copy"),
        ("onnx_ir/_thirdparty/asciichart.py", "vendored copy"),
        ("pkg/third-party/x.py", "vendored copy"),
        ("requests/packages/urllib3/util.py", "vendored copy"),
        ("src/pkg/libs/simplejson.py", "vendored copy"),
        ("django/utils/six.py", "vendored copy"),
        ("six.py", ""),
        ("src/appdirs.py", ""),
        ("packages/urllib3/util.py", ""),
        ("urllib3/contrib/socks.py", ""),
        ("tool/integrations/requests/patch.py", ""),
        ("sympy/external/gmpy.py", ""),
        ("pkg/message_pb2.py", "generated file"),
        ("README.md", "not Python"),
    ],
)
def test_paths(path: str, reason: str) -> None:
    assert path_reject_reason(path) == reason


def test_sources_are_decoded_or_refused_with_a_reason() -> None:
    assert decode_source(b"\xef\xbb\xbfx = 1\r\ny = 2\r", 100) == ("x = 1\ny = 2\n", "")
    assert decode_source(b"x" * 101, 100) == ("", "file too large")
    assert decode_source(b"x = '\xe9'", 100) == ("", "not UTF-8")
    assert decode_source(b"\0\1\2", 100) == ("", "binary file")
    assert decode_source(b"# This file is auto-generated. Do not edit.", 100) == ("", "generated file")


def test_every_project_is_in_exactly_one_shard() -> None:
    for name in ("click", "jinja2", "urllib3", "requests"):
        assert sum(is_in_shard(name, shard, 3) for shard in range(3)) == 1
        assert sum(is_in_shard(name, shard, 3) for shard in (1, 2, 3)) == 1


@pytest.mark.parametrize(
    ("metadata", "license", "source"),
    [
        (
            "License-Expression: MIT OR Apache-2.0\nLicense: BSD",
            "MIT OR Apache-2.0",
            "METADATA License-Expression",
        ),
        ("License: MIT License\n        Copyright (c) 2020 somebody", "MIT", "METADATA License"),
        ("License: BSD-3-Clause AND MIT", "BSD-3-Clause AND MIT", "METADATA License"),
        (
            "License: see the file\nClassifier: License :: OSI Approved :: Apache Software License\n"
            "Classifier: Programming Language :: Python",
            "Apache-2.0",
            "METADATA Classifier",
        ),
        ("License: all rights reserved", "", ""),
        ("Name: x", "", ""),
    ],
)
def test_licenses_come_from_what_is_stated(metadata: str, license: str, source: str) -> None:
    assert stated_license(email.message_from_string(metadata + "\n\n")) == (license, source)
