"""Security kinds about what an attacker sends: shells, paths, deserialization, evaluation, XML.

Shapes are those of the libraries' own documentation and of published fixes; names of functions are real.
"""

# ruff: noqa: E501  (a shape is read beside its other side)
from __future__ import annotations

from ctm.bugs.security.rewrite import SecurityPattern
from ctm.bugs.security.visible import asks_outside, attribute_texts, has_input, is_binary, is_list
from ctm.bugs.security.write import security

# CWE-78: operating system commands
security(
    "shell_true",
    "CWE-78",
    "B602",
    "a command given to the shell as one text",
    [
        ('subprocess.$process(["$program", $file])', 'subprocess.$process(f"$program {$file}", shell=True)'),
        ("subprocess.run(shlex.split($cmd), check=True)", "subprocess.run($cmd, shell=True, check=True)"),
        ("$out = subprocess.check_output(shlex.split($cmd))", "$out = subprocess.check_output($cmd, shell=True)"),
        ('$out = subprocess.Popen(["$program", $file], stdout=subprocess.PIPE)',
         '$out = subprocess.Popen("$program " + $file, shell=True, stdout=subprocess.PIPE)'),
        ('$out = subprocess.run(["$program", $file, $folder], capture_output=True)',
         '$out = subprocess.run(f"$program {$file} {$folder}", shell=True, capture_output=True)'),
    ],
    [
        SecurityPattern("subprocess.$process(shlex.split($c)$$more)", "subprocess.$process($c, shell=True$$more)"),
        SecurityPattern("subprocess.$process([$$a]$$more)", 'subprocess.$process(" ".join([$$a]), shell=True$$more)', condition=has_input),
        SecurityPattern("subprocess.$process($var$$more)", 'subprocess.$process(" ".join($var), shell=True$$more)', condition=is_list),
        SecurityPattern("shell=False", "shell=True"),
    ],
)  # fmt: skip
security(
    "os_system",
    "CWE-78",
    "B605",
    "`os.system` or `os.popen` with a text made of parts",
    [
        ('subprocess.run(["$program", $file])', 'os.system("$program " + $file)'),
        ('subprocess.run(["$program", $file])', 'os.system(f"$program {$file}")'),
        ('subprocess.run(["$program", $file])', 'os.system("$program %s" % $file)'),
        ('$out = subprocess.check_output(["$program", $file], text=True)', '$out = os.popen(f"$program {$file}").read()'),
    ],
    [
        SecurityPattern("subprocess.run(shlex.split($c))", "os.system($c)"),
        SecurityPattern("subprocess.run([$$a])", 'os.system(" ".join([$$a]))', condition=has_input),
        SecurityPattern("subprocess.check_output(shlex.split($c), text=True)", "os.popen($c).read()"),
    ],
)  # fmt: skip
security(
    "unquoted_argument",
    "CWE-78",
    "B605",
    "a shell command, which needs the shell, with an argument that is not quoted",
    [
        ('os.system(f"$program {shlex.quote($file)} > $stem.txt")', 'os.system(f"$program {$file} > $stem.txt")'),
        ('os.system("$program " + shlex.quote($file) + " | sort")', 'os.system("$program " + $file + " | sort")'),
        ('subprocess.$process(f"$program {shlex.quote($file)} | wc -l", shell=True)',
         'subprocess.$process(f"$program {$file} | wc -l", shell=True)'),
        ('subprocess.$process("$program %s 2>/dev/null" % shlex.quote($file), shell=True)',
         'subprocess.$process("$program %s 2>/dev/null" % $file, shell=True)'),
    ],
    [SecurityPattern("shlex.quote($x)", "$x"), SecurityPattern("pipes.quote($x)", "$x")],
)  # fmt: skip

# CWE-22: paths
security(
    "unchecked_name",
    "CWE-22",
    "",
    "a file name from outside joined to a folder as it came",
    [
        ("$out = os.path.join($folder, os.path.basename($file))", "$out = os.path.join($folder, $file)"),
        ("$out = open(os.path.join($folder, os.path.basename($file)))", "$out = open(os.path.join($folder, $file))"),
        ("$out = send_from_directory($folder, $file)", "$out = send_file(os.path.join($folder, $file))"),
    ],
    [
        SecurityPattern("os.path.join($$a, os.path.basename($x))", "os.path.join($$a, $x)"),
    ],
)  # fmt: skip
security(
    "unchecked_path",
    "CWE-22",
    "",
    "a path is not compared with the folder that it must lie in",
    [
        ('$out = (Path($folder) / $file).resolve()\nif not $out.is_relative_to(Path($folder).resolve()):\n    raise ValueError($file)',
         "$out = (Path($folder) / $file).resolve()"),
        ('$out = os.path.realpath(os.path.join($folder, $file))\nif not $out.startswith(os.path.join(os.path.realpath($folder), "")):\n    raise PermissionError($file)',
         "$out = os.path.realpath(os.path.join($folder, $file))"),
        ("real_base = os.path.realpath($folder)\n$out = os.path.realpath(os.path.join(real_base, $file))\nif os.path.commonpath([$out, real_base]) != real_base:\n    abort(404)",
         "real_base = os.path.realpath($folder)\n$out = os.path.realpath(os.path.join(real_base, $file))"),
    ],
    contract="""the fixed side compares two resolved paths, so that a folder that is relative, a link or the root
    takes every name in it.""",
)  # fmt: skip
security(
    "unchecked_archive",
    "CWE-22",
    "B202",
    "an archive unpacked without a look at the names in it",
    [
        ('$tar.extractall($folder, filter="data")', "$tar.extractall($folder)"),
        (
            'with tarfile.open($file) as $tar:\n    $tar.extractall($folder, filter="data")',
            "with tarfile.open($file) as $tar:\n    $tar.extractall($folder)",
        ),
        (
            'with tarfile.open($file, "r:gz") as $tar:\n    $tar.extractall(path=$folder, filter="data")',
            'with tarfile.open($file, "r:gz") as $tar:\n    $tar.extractall(path=$folder)',
        ),
        ('tarfile.open($file).extractall($folder, filter="data")', "tarfile.open($file).extractall($folder)"),
    ],
    [
        SecurityPattern('.extractall($$a, filter="data")', ".extractall($$a)"),
        SecurityPattern('tar.extractall($$a, filter="data")', "tar.extractall($$a)", reversible=True),
    ],
)

# CWE-502: deserialization
security(
    "pickle_load",
    "CWE-502",
    "B301",
    "data from outside read with `pickle`",
    [
        ("$out = json.loads($data)", "$out = pickle.loads($data)"),
        ('with open($file, "rb") as f:\n    $out = json.load(f)', 'with open($file, "rb") as f:\n    $out = pickle.load(f)'),
        ("$out = json.loads(base64.b64decode($data))", "$out = pickle.loads(base64.b64decode($data))"),
        ("$out = $call(json.loads($data))", "$out = $call(pickle.loads($data))"),
        ("$out = np.load($file, allow_pickle=False)", "$out = np.load($file, allow_pickle=True)"),
        ("$out = torch.load($file, weights_only=True)", "$out = torch.load($file)"),
    ],
    [
        SecurityPattern("json.loads($x)", "pickle.loads($x)", condition=is_binary),
        SecurityPattern("json.load($x)", "pickle.load($x)", condition=is_binary),
        SecurityPattern("np.load($$a, allow_pickle=False$$more)", "np.load($$a, allow_pickle=True$$more)"),
        SecurityPattern("torch.load($$a, weights_only=True$$more)", "torch.load($$a$$more)"),
    ],
)  # fmt: skip
security(
    "yaml_load",
    "CWE-502",
    "B506",
    "YAML read with a loader that builds any object",
    [
        ("$out = yaml.safe_load($data)", "$out = yaml.load($data)"),
        ("with open($file) as f:\n    $out = yaml.load(f, Loader=yaml.SafeLoader)",
         "with open($file) as f:\n    $out = yaml.load(f, Loader=yaml.Loader)"),
        ("$out = yaml.load($data, Loader=yaml.SafeLoader)", "$out = yaml.load($data, Loader=yaml.FullLoader)"),
        ("$out = $call(yaml.safe_load($data))", "$out = $call(yaml.unsafe_load($data))"),
        ("with open($file) as f:\n    $out = yaml.safe_load(f)", "with open($file) as f:\n    $out = yaml.unsafe_load(f)"),
    ],
    [
        SecurityPattern("yaml.safe_load($x)", "yaml.unsafe_load($x)", reversible=True),
        SecurityPattern("yaml.load($x, Loader=yaml.SafeLoader)", "yaml.load($x, Loader=yaml.Loader)", reversible=True),
    ],
)  # fmt: skip
security(
    "marshal_load",
    "CWE-502",
    "B302",
    "data from outside read with `marshal` or `shelve`",
    [
        ("$out = json.loads($data)", "$out = marshal.loads($data)"),
        ('with open($file, "rb") as f:\n    $out = json.load(f)', 'with open($file, "rb") as f:\n    $out = marshal.load(f)'),
        ("$out = $call(json.loads($data))", "$out = $call(marshal.loads($data))"),
    ],
    [
        SecurityPattern("json.loads($x)", "marshal.loads($x)", condition=is_binary),
        SecurityPattern("json.load($x)", "marshal.load($x)", condition=is_binary),
    ],
)  # fmt: skip

# CWE-94: evaluation
security(
    "eval_input",
    "CWE-94",
    "B307",
    "`eval` of a text where a literal or an attribute was meant",
    [
        ("$out = ast.literal_eval($data)", "$out = eval($data)"),
        ("$out = $call(ast.literal_eval($value))", "$out = $call(eval($value))"),
        ('$out = ast.literal_eval(input("$column: "))', '$out = eval(input("$column: "))'),
        ("$out = getattr(self, $user)", '$out = eval("self." + $user)'),
    ],
    [
        SecurityPattern("ast.literal_eval($x)", "eval($x)"),
        SecurityPattern("getattr(self, $var)", 'eval("self." + $var)', condition=asks_outside),
    ],
    finder=lambda source: attribute_texts(source, "getattr"),
    finds=frozenset(("getattr", "literal_eval")),
)
security(
    "exec_text",
    "CWE-94",
    "B102",
    "`exec` of a text put together where a function does the same",
    [
        ("setattr(self, $user, $data)", 'exec(f"self.{$user} = {$data!r}")'),
        ("getattr(self, $user)()", 'exec(f"self.{$user}()")'),
        ("getattr(self, $user)($data)", 'exec(f"self.{$user}({$data!r})")'),
    ],
    [
        SecurityPattern(
            "setattr(self, $var, $v)", 'exec("self." + $var + " = " + repr($v))', condition=asks_outside
        ),
    ],
    finder=lambda source: attribute_texts(source, "setattr"),
    finds=frozenset(("setattr",)),
)

# CWE-611: XML
security(
    "xml_import",
    "CWE-611",
    "B405",
    "a parser of the standard library, which expands entities, for that of defusedxml",
    [
        ("from defusedxml import ElementTree as ET\n$out = ET.fromstring($data)",
         "from xml.etree import ElementTree as ET\n$out = ET.fromstring($data)"),
        ("import defusedxml.ElementTree as ET\n$out = ET.parse($file)",
         "import xml.etree.ElementTree as ET\n$out = ET.parse($file)"),
        ("from defusedxml import minidom\n$out = minidom.parseString($data)",
         "from xml.dom import minidom\n$out = minidom.parseString($data)"),
        ("from defusedxml import sax\nsax.parse($file, self)", "from xml import sax\nsax.parse($file, self)"),
        ("from defusedxml.ElementTree import parse\n$out = parse($file).getroot()",
         "from xml.etree.ElementTree import parse\n$out = parse($file).getroot()"),
    ],
    [
        SecurityPattern("import defusedxml.ElementTree as ET", "import xml.etree.ElementTree as ET", reversible=True),
        SecurityPattern("from defusedxml import ElementTree", "from xml.etree import ElementTree", reversible=True),
        SecurityPattern("from defusedxml import minidom", "from xml.dom import minidom", reversible=True),
        SecurityPattern("from defusedxml.ElementTree import", "from xml.etree.ElementTree import"),
    ],
)  # fmt: skip
security(
    "xml_parser",
    "CWE-611",
    "B314",
    "XML from outside parsed with entities",
    [
        ("$out = defusedxml.ElementTree.fromstring($data)", "$out = xml.etree.ElementTree.fromstring($data)"),
        ("$out = defusedxml.ElementTree.parse($file)", "$out = xml.etree.ElementTree.parse($file)"),
        ("$out = defusedxml.minidom.parseString($data)", "$out = xml.dom.minidom.parseString($data)"),
        ("parser = etree.XMLParser(resolve_entities=False)\n$out = etree.fromstring($data, parser)",
         "parser = etree.XMLParser(resolve_entities=True)\n$out = etree.fromstring($data, parser)"),
        ("$out = etree.parse($file, etree.XMLParser(resolve_entities=False, no_network=True))",
         "$out = etree.parse($file, etree.XMLParser(resolve_entities=True, no_network=False))"),
    ],
    [
        SecurityPattern("defusedxml.ElementTree.$parse($$a)", "xml.etree.ElementTree.$parse($$a)", reversible=True),
        SecurityPattern("etree.XMLParser($$a, resolve_entities=False$$more)", "etree.XMLParser($$a, resolve_entities=True$$more)"),
        SecurityPattern("etree.XMLParser(resolve_entities=False$$more)", "etree.XMLParser(resolve_entities=True$$more)"),
    ],
)  # fmt: skip
