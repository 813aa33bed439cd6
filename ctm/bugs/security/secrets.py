"""Security kinds about secrets: ciphers, hashes, random numbers, certificates, passwords in the code."""

# ruff: noqa: E501  (a shape is read beside its other side)
from __future__ import annotations

import re

from ctm.bugs.security.rewrite import SecurityPattern
from ctm.bugs.security.visible import (
    given_through,
    has_url,
    is_program,
    secret_arguments,
    secret_attributes,
    secret_defaults,
)
from ctm.bugs.security.write import security
from ctm.bugs.static_analysis.source import ParsedCode

_PASSWORDS = re.compile(
    r"(?i:passw|pass_?phrase|pwd|secret|(?<![a-z])(?:pass|pw)(?![a-z]))|(?<=[a-z])(?:Pass|Pw)(?![a-z])"
)
_SECRET_PARTS = frozenset(
    ("pass", "password", "passwd", "passphrase", "pwd", "secret", "secretkey", "key", "apikey", "token")
)
"""Parts of names, one of which each name has that `names_secret` takes for a secret's."""
_HASH_CONTRACT = """no name or key in the snippet is that of a password or secret: a fast hash of those is as wrong
    after the repair."""


def _no_passwords(source: ParsedCode) -> bool:
    """Whether no name, and no text that may be a key, is called like a password."""
    return not any(
        _PASSWORDS.search(token.text)
        for token in source.tokens
        if token.kind == "NAME" or (token.kind == "STRING" and " " not in token.text)
    )


# CWE-327: ciphers and protocols
security(
    "weak_cipher",
    "CWE-327",
    "B304",
    "a cipher that is broken",
    [
        ("iv = os.urandom(16)\n$out = AES.new($key, AES.MODE_CBC, iv).encrypt($data)",
         "iv = os.urandom(8)\n$out = DES.new($key, DES.MODE_CBC, iv).encrypt($data)"),
        ("$out = AES.new($key, AES.MODE_GCM).encrypt($data)", "$out = ARC4.new($key).encrypt($data)"),
        ("$out = ChaCha20_Poly1305.new(key=$key).encrypt($data)", "$out = Blowfish.new($key).encrypt($data)"),
        ("iv = os.urandom(16)\ncipher = Cipher(algorithms.AES($key), modes.CBC(iv))",
         "iv = os.urandom(8)\ncipher = Cipher(algorithms.TripleDES($key), modes.CBC(iv))"),
        ("nonce = os.urandom(16)\ncipher = Cipher(algorithms.AES($key), modes.CTR(nonce))",
         "nonce = os.urandom(8)\ncipher = Cipher(algorithms.Blowfish($key), modes.CTR(nonce))"),
        ("context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)", "context = ssl.SSLContext(ssl.PROTOCOL_TLSv1)"),
        ("context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\ncontext.load_cert_chain($file)",
         "context = ssl.SSLContext(ssl.PROTOCOL_SSLv3)\ncontext.load_cert_chain($file)"),
    ],
    [
        SecurityPattern("AES.new($k, AES.MODE_CBC$$more)", "DES.new($k, DES.MODE_CBC$$more)"),
        SecurityPattern("algorithms.AES($k)", "algorithms.TripleDES($k)"),
        SecurityPattern("ssl.PROTOCOL_TLS_CLIENT", "ssl.PROTOCOL_TLSv1"),
        SecurityPattern("ssl.PROTOCOL_TLS_SERVER", "ssl.PROTOCOL_SSLv3"),
    ],
)  # fmt: skip
security(
    "ecb_mode",
    "CWE-327",
    "B305",
    "a block cipher in ECB mode, which shows equal blocks",
    [
        ("iv = os.urandom(16)\ncipher = Cipher(algorithms.AES($key), modes.CBC(iv))",
         "iv = os.urandom(16)\ncipher = Cipher(algorithms.AES($key), modes.ECB())"),
        ("cipher = AES.new($key, AES.MODE_GCM)\n$out, tag = cipher.encrypt_and_digest($data)",
         "cipher = AES.new($key, AES.MODE_ECB)\n$out = cipher.encrypt($data)"),
        ("$out = AES.new($key, AES.MODE_GCM).encrypt($data)", "$out = AES.new($key, AES.MODE_ECB).encrypt($data)"),
        ("nonce = os.urandom(12)\ncipher = Cipher(algorithms.AES($key), modes.GCM(nonce))",
         "nonce = os.urandom(12)\ncipher = Cipher(algorithms.AES($key), modes.ECB())"),
    ],
    [
        SecurityPattern("AES.new($k, AES.MODE_GCM)", "AES.new($k, AES.MODE_ECB)"),
        SecurityPattern("iv = os.urandom(16)\ncipher = Cipher(algorithms.AES($k), modes.CBC(iv))",
                "iv = os.urandom(16)\ncipher = Cipher(algorithms.AES($k), modes.ECB())"),
    ],
)  # fmt: skip

# CWE-328: hashes
security(
    "md5_hash",
    "CWE-328",
    "B324",
    "MD5 where a hash has to resist an attacker",
    [
        ("$out = hashlib.sha256($data).hexdigest()", "$out = hashlib.md5($data).hexdigest()"),
        ('h = hashlib.new("sha256")\nh.update($data)', 'h = hashlib.new("md5")\nh.update($data)'),
        ("h = hashlib.sha256()\nh.update($data)\n$out = h.hexdigest()", "h = hashlib.md5()\nh.update($data)\n$out = h.hexdigest()"),
        ("$out = hmac.new($key, $data, hashlib.sha256).hexdigest()", "$out = hmac.new($key, $data, hashlib.md5).hexdigest()"),
        ("digest = hashes.Hash(hashes.SHA256())\ndigest.update($data)", "digest = hashes.Hash(hashes.MD5())\ndigest.update($data)"),
    ],
    [
        SecurityPattern("hashlib.sha256", "hashlib.md5"),
        SecurityPattern('hashlib.new("sha256"$$more)', 'hashlib.new("md5"$$more)'),
        SecurityPattern("hashlib.new('sha256'$$more)", "hashlib.new('md5'$$more)"),
        SecurityPattern("hashes.SHA256()", "hashes.MD5()"),
    ],
    contract=_HASH_CONTRACT,
    suits=_no_passwords,
)  # fmt: skip
security(
    "sha1_hash",
    "CWE-328",
    "B324",
    "SHA-1 where a hash has to resist an attacker",
    [
        ("$out = hashlib.sha256($data).hexdigest()", "$out = hashlib.sha1($data).hexdigest()"),
        ("$out = hashlib.sha256(os.urandom($size)).hexdigest()", "$out = hashlib.sha1(os.urandom($size)).hexdigest()"),
        ("$out = hmac.new($key, $data, hashlib.sha256).hexdigest()", "$out = hmac.new($key, $data, hashlib.sha1).hexdigest()"),
        ('$out = hmac.new($key, $data, digestmod="sha256")', '$out = hmac.new($key, $data, digestmod="sha1")'),
        ("h = hashlib.sha256()\nh.update($data)\n$out = h.digest()", "h = hashlib.sha1()\nh.update($data)\n$out = h.digest()"),
        ("$out = $key.sign($data, hashes.SHA256())", "$out = $key.sign($data, hashes.SHA1())"),
    ],
    [
        SecurityPattern("hashlib.sha256", "hashlib.sha1"),
        SecurityPattern("hashes.SHA256()", "hashes.SHA1()"),
    ],
    contract=_HASH_CONTRACT,
    suits=_no_passwords,
)  # fmt: skip

# CWE-330: random numbers
_SECRETS = frozenset(("token", "secret", "secrets", "session", "password", "passwd", "nonce", "salt", "csrf", "otp", "auth",
                      "cookie", "challenge", "sid", "pin", "captcha", "apikey"))  # fmt: skip


def _is_secret(source: ParsedCode) -> bool:
    """Whether a name of the snippet has a word of secrets in it."""
    return not _SECRETS.isdisjoint(source.parts)


security(
    "random_token",
    "CWE-330",
    "B311",
    "a token of numbers that can be guessed",
    [
        ("$out = secrets.token_hex(16)", '$out = "%032x" % random.getrandbits(128)'),
        ("$out = uuid.uuid4().hex", "$out = uuid.uuid1().hex"),
        ("$out = secrets.token_bytes($size)", "$out = random.randbytes($size)"),
        ("salt = secrets.token_bytes($size)\n$out = hashlib.scrypt($secret, salt=salt, n=2**14, r=8, p=1)",
         "salt = random.randbytes($size)\n$out = hashlib.scrypt($secret, salt=salt, n=2**14, r=8, p=1)"),
        ("$out = secrets.randbelow(1000000)", "$out = random.randrange(1000000)"),
        ("$out = $call(secrets.token_urlsafe())", "$out = $call(str(random.random()))"),
        ("nonce = secrets.randbits(128)", "nonce = random.getrandbits(128)"),
    ],
    [
        SecurityPattern("secrets.token_bytes($n)", "random.randbytes($n)"),
        SecurityPattern("secrets.randbelow($n)", "random.randrange($n)"),
        SecurityPattern("secrets.randbits($n)", "random.getrandbits($n)"),
        SecurityPattern("uuid.uuid4()", "uuid.uuid1()"),
    ],
    contract="the snippet names something secret: an identity that has to be unique alone may be guessed.",
    suits=_is_secret,
)  # fmt: skip
security(
    "random_choice",
    "CWE-330",
    "B311",
    "a password or code drawn with `random`",
    [
        ('$holder = "".join(secrets.choice($pool) for _ in range($size))',
         '$holder = "".join(random.choice($pool) for _ in range($size))'),
        ("$out = secrets.choice($pool)", "$out = random.choice($pool)"),
        ('$out = "$column-" + "".join(secrets.choice($pool) for _ in range($size))',
         '$out = "$column-" + "".join(random.choice($pool) for _ in range($size))'),
        ('$holder = "".join(random.SystemRandom().sample($pool, $size))',
         '$holder = "".join(random.sample($pool, $size))'),
        ("rng = random.SystemRandom()\n$holder = rng.randrange(10**$size)", "rng = random.Random()\n$holder = rng.randrange(10**$size)"),
    ],
    [
        SecurityPattern("secrets.choice($x)", "random.choice($x)"),
        SecurityPattern("random.SystemRandom().sample($$a)", "random.sample($$a)"),
        SecurityPattern("random.SystemRandom()", "random.Random()"),
    ],
    contract="the snippet names something secret; a draw in a game or a test is none.",
    suits=_is_secret,
)  # fmt: skip

# CWE-295: certificates
security(
    "unverified_request",
    "CWE-295",
    "B501",
    "a request that takes any certificate",
    [
        ("$out = requests.$verb($url, timeout=10)", "$out = requests.$verb($url, timeout=10, verify=False)"),
        ("$out = requests.$verb($url)", "$out = requests.$verb($url, verify=False)"),
        ("$out = requests.post($url, json=$data)", "$out = requests.post($url, json=$data, verify=False)"),
        (
            '$out = requests.get($url, params={"$column": $value}).json()',
            '$out = requests.get($url, params={"$column": $value}, verify=False).json()',
        ),
        ("$out = session.get($url)", "$out = session.get($url, verify=False)"),
        ("$out = httpx.$verb($url)", "$out = httpx.$verb($url, verify=False)"),
        ("client = httpx.Client(base_url=$url)", "client = httpx.Client(base_url=$url, verify=False)"),
    ],
    [
        SecurityPattern("requests.$verb($$a)", "requests.$verb($$a, verify=False)", reversible=True),
        SecurityPattern("httpx.$verb($$a)", "httpx.$verb($$a, verify=False)", reversible=True),
        SecurityPattern(
            "session.$verb($$a)", "session.$verb($$a, verify=False)", reversible=True, condition=has_url
        ),
        SecurityPattern(
            ".session.$verb($$a)", ".session.$verb($$a, verify=False)", reversible=True, condition=has_url
        ),
        SecurityPattern(
            "._session.$verb($$a)", "._session.$verb($$a, verify=False)", reversible=True, condition=has_url
        ),
        SecurityPattern("requests.request($$a)", "requests.request($$a, verify=False)", reversible=True),
        SecurityPattern(
            ".session.request($$a)", ".session.request($$a, verify=False)", reversible=True, condition=has_url
        ),
        SecurityPattern(
            "._session.request($$a)",
            "._session.request($$a, verify=False)",
            reversible=True,
            condition=has_url,
        ),
    ],
    finder=lambda source: given_through(source, "verify", "False"),
    finds=frozenset(("requests", "httpx", "session", "_session", "verify")),
    suits=lambda source: is_program(source) and "http://" not in source.text,
)
security(
    "unverified_context",
    "CWE-295",
    "B323",
    "a TLS context that takes any certificate or host",
    [
        ("context = ssl.create_default_context()", "context = ssl._create_unverified_context()"),
        ("context = ssl.create_default_context(cafile=$file)\ncontext.check_hostname = True",
         "context = ssl.create_default_context(cafile=$file)\ncontext.check_hostname = False"),
        ("context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)\ncontext.verify_mode = ssl.CERT_REQUIRED",
         "context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)\ncontext.verify_mode = ssl.CERT_NONE"),
        ("$out = urllib.request.urlopen($url, context=ssl.create_default_context())",
         "$out = urllib.request.urlopen($url, context=ssl._create_unverified_context())"),
        ('$out = urllib3.PoolManager(cert_reqs="CERT_REQUIRED").request("GET", $url)',
         '$out = urllib3.PoolManager(cert_reqs="CERT_NONE").request("GET", $url)'),
        ("$out = http.client.HTTPSConnection($host, context=ssl.create_default_context())",
         "$out = http.client.HTTPSConnection($host, context=ssl._create_unverified_context())"),
    ],
    [
        SecurityPattern("ssl.create_default_context($$a)", "ssl._create_unverified_context($$a)"),
        SecurityPattern("ssl.CERT_REQUIRED", "ssl.CERT_NONE"),
        SecurityPattern(".check_hostname = True", ".check_hostname = False", reversible=True),
    ],
)  # fmt: skip

# CWE-798: passwords in the code
security(
    "password_literal",
    "CWE-798",
    "B105",
    "a password or key written into the code",
    [
        ('$holder = os.environ["$env"]', '$holder = "$literal"'),
        ('self.$holder = os.environ["$env"]', 'self.$holder = "$literal"'),
        (
            '$holder = os.environ["$env"]\n$out = $call($user, $holder)',
            '$holder = "$literal"\n$out = $call($user, $holder)',
        ),
        ('app.config["$env"] = os.environ["$env"]', 'app.config["$env"] = "$literal"'),
        ('if $secret == os.environ["$env"]:\n    $out = True', 'if $secret == "$literal":\n    $out = True'),
    ],
    [
        SecurityPattern('password = os.environ["PASSWORD"]', 'password = "secret"'),
        SecurityPattern('.password = os.environ["PASSWORD"]', '.password = "secret"'),
        SecurityPattern('api_key = os.environ["API_KEY"]', 'api_key = "secret"'),
        SecurityPattern('secret_key = os.environ["SECRET_KEY"]', 'secret_key = "secret"'),
    ],
    finder=secret_attributes,
    finds=_SECRET_PARTS,
)
security(
    "password_argument",
    "CWE-798",
    "B106",
    "a password in the code as an argument",
    [
        ('db = $call($user, password=os.environ["PASSWORD"])', 'db = $call($user, password="$literal")'),
        ('conn = psycopg2.connect(host=$host, user=$user, password=os.environ["PASSWORD"])',
         'conn = psycopg2.connect(host=$host, user=$user, password="$literal")'),
        ('conn = pymysql.connect(host=$host, user=$user, passwd=os.environ["PASSWD"], db="$table")',
         'conn = pymysql.connect(host=$host, user=$user, passwd="$literal", db="$table")'),
        ('$out = Client($url, api_key=os.environ["API_KEY"])', '$out = Client($url, api_key="$literal")'),
        ('ssh.connect($host, username=$user, password=os.environ["PASSWORD"])', 'ssh.connect($host, username=$user, password="$literal")'),
    ],
    [
        SecurityPattern('($$a, password=os.environ["PASSWORD"]$$more)', '($$a, password="secret"$$more)'),
        SecurityPattern('(password=os.environ["PASSWORD"]$$more)', '(password="secret"$$more)'),
        SecurityPattern('($$a, api_key=os.environ["API_KEY"]$$more)', '($$a, api_key="secret"$$more)'),
    ],
    finder=secret_arguments,
    finds=_SECRET_PARTS,
)  # fmt: skip
security(
    "password_default",
    "CWE-798",
    "B107",
    "a password in the code as a parameter's default",
    [
        ("def $call($host, $user, password=None):\n    return driver.connect($host, $user, password)",
         'def $call($host, $user, password="$literal"):\n    return driver.connect($host, $user, password)'),
        ("def $call($user, password=None):\n    return session.login($user, password)",
         'def $call($user, password="$literal"):\n    return session.login($user, password)'),
        ("def $call($url, api_key=None):\n    return Client($url, api_key)",
         'def $call($url, api_key="$literal"):\n    return Client($url, api_key)'),
    ],
    finder=secret_defaults,
    finds=_SECRET_PARTS,
)  # fmt: skip
