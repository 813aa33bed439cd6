"""The license a distribution states in its METADATA, as an SPDX expression, and where it was read.

Order of trust: `License-Expression` (PEP 639, already SPDX), then `License` where it is a short known name, then the
classifiers. Nothing is guessed from the text of a license: a distribution without a statement has none.
"""

from __future__ import annotations

import re
from email.message import Message

_NAMES = {
    "mit": "MIT",
    "mit license": "MIT",
    "the mit license": "MIT",
    "bsd": "LicenseRef-BSD",
    "bsd license": "LicenseRef-BSD",
    "new bsd": "BSD-3-Clause",
    "new bsd license": "BSD-3-Clause",
    "3-clause bsd license": "BSD-3-Clause",
    "bsd 3-clause license": "BSD-3-Clause",
    "bsd 3-clause": "BSD-3-Clause",
    "bsd-3-clause license": "BSD-3-Clause",
    "bsd-2-clause license": "BSD-2-Clause",
    "apache 2.0": "Apache-2.0",
    "apache-2.0 license": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "isc license": "ISC",
    "isc license (iscl)": "ISC",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "python software foundation license": "PSF-2.0",
    "the unlicense (unlicense)": "Unlicense",
    "zlib/libpng license": "Zlib",
    "gnu general public license (gpl)": "LicenseRef-GPL",
    "gnu general public license v2 (gplv2)": "GPL-2.0-only",
    "gnu general public license v3 (gplv3)": "GPL-3.0-only",
    "gnu lesser general public license v3 (lgplv3)": "LGPL-3.0-only",
    "public domain": "LicenseRef-Public-Domain",
    "historical permission notice and disclaimer (hpnd)": "HPND",
}
_SPDX_IDS = (
    "MIT|MIT-0|MIT-CMU|BSD-2-Clause|BSD-3-Clause|0BSD|Apache-2\\.0|ISC|MPL-2\\.0|PSF-2\\.0|Python-2\\.0|Zlib|"
    "Unlicense|CC0-1\\.0|HPND|BSL-1\\.0|(?:A|L)?GPL-[23]\\.[01](?:-only|-or-later)?"
)
_SPDX = re.compile(rf"(?:{_SPDX_IDS})(?: (?:AND|OR) (?:{_SPDX_IDS}))*")


def stated_license(metadata: Message) -> tuple[str, str]:
    """(SPDX expression, field it was read from) of a distribution's METADATA; ("", "") where none is stated."""
    expression = (metadata.get("License-Expression") or "").strip()
    if expression:
        return expression, "METADATA License-Expression"
    if spdx := _known((metadata.get("License") or "").strip().split("\n")[0]):
        return spdx, "METADATA License"
    found = []
    for classifier in metadata.get_all("Classifier") or ():
        parts = [part.strip() for part in classifier.split("::")]
        if parts[0] == "License" and (spdx := _known(parts[-1])) and spdx not in found:
            found.append(spdx)
    if found:
        # Classifiers do not say whether all or any of them hold: the stricter reading is kept.
        return " AND ".join(sorted(found)), "METADATA Classifier"
    return "", ""


def _known(name: str) -> str:
    return name if _SPDX.fullmatch(name) else _NAMES.get(name.lower(), "")
