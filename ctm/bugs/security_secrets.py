"""Security kinds about secrets: ciphers, hashes, random numbers, certificates, passwords in the code."""

# ruff: noqa: E501  (a shape is read beside its other side)
from __future__ import annotations

from ctm.bugs.rewrite import Rewrite
from ctm.bugs.security_write import security

# CWE-327: ciphers and protocols
security(
    "weak_cipher",
    "CWE-327",
    "B304",
    "a cipher that is broken",
    [
        ("cipher = AES.new($key, AES.MODE_CBC, iv)", "cipher = DES.new($key, DES.MODE_CBC, iv)"),
        ("cipher = AES.new($key, AES.MODE_GCM)", "cipher = ARC4.new($key)"),
        ("cipher = ChaCha20_Poly1305.new(key=$key)", "cipher = Blowfish.new($key)"),
        ("cipher = Cipher(algorithms.AES($key), modes.CBC(iv))",
         "cipher = Cipher(algorithms.TripleDES($key), modes.CBC(iv))"),
        ("cipher = Cipher(algorithms.AES($key), modes.CTR(nonce))",
         "cipher = Cipher(algorithms.Blowfish($key), modes.CTR(nonce))"),
        ("context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)", "context = ssl.SSLContext(ssl.PROTOCOL_TLSv1)"),
    ],
    [
        Rewrite("AES.new($k, AES.MODE_CBC$$more)", "DES.new($k, DES.MODE_CBC$$more)"),
        Rewrite("algorithms.AES($k)", "algorithms.TripleDES($k)"),
        Rewrite("ssl.PROTOCOL_TLS_CLIENT", "ssl.PROTOCOL_SSLv3"),
        Rewrite("ssl.PROTOCOL_TLS_SERVER", "ssl.PROTOCOL_TLSv1"),
    ],
)  # fmt: skip
security(
    "ecb_mode",
    "CWE-327",
    "B305",
    "a block cipher in ECB mode, which shows equal blocks",
    [
        ("cipher = AES.new($key, AES.MODE_CBC, iv)", "cipher = AES.new($key, AES.MODE_ECB)"),
        ("cipher = AES.new($key, AES.MODE_GCM, nonce=nonce)", "cipher = AES.new($key, AES.MODE_ECB)"),
        ("cipher = Cipher(algorithms.AES($key), modes.CBC(iv))", "cipher = Cipher(algorithms.AES($key), modes.ECB())"),
        ("cipher = Cipher(algorithms.AES($key), modes.GCM(nonce))",
         "cipher = Cipher(algorithms.AES($key), modes.ECB())"),
    ],
    [
        Rewrite("AES.new($k, AES.MODE_CBC, $iv)", "AES.new($k, AES.MODE_ECB)"),
        Rewrite("AES.new($k, AES.MODE_GCM$$more)", "AES.new($k, AES.MODE_ECB)"),
        Rewrite("modes.CBC($iv)", "modes.ECB()"),
        Rewrite("modes.GCM($iv)", "modes.ECB()"),
    ],
)  # fmt: skip

# CWE-328: hashes
security(
    "md5_hash",
    "CWE-328",
    "B324",
    "MD5 where a hash has to resist an attacker",
    [
        ("digest = hashlib.sha256($data).hexdigest()", "digest = hashlib.md5($data).hexdigest()"),
        ("digest = hashlib.sha256($data.encode()).hexdigest()", "digest = hashlib.md5($data.encode()).hexdigest()"),
        ("hashed = hashlib.sha256($secret.encode()).hexdigest()", "hashed = hashlib.md5($secret.encode()).hexdigest()"),
        ('h = hashlib.new("sha256")\nh.update($data)', 'h = hashlib.new("md5")\nh.update($data)'),
        ("h = hashlib.sha256()\nh.update($data)", "h = hashlib.md5()\nh.update($data)"),
        ("signature = hmac.new($key, $data, hashlib.sha256).hexdigest()",
         "signature = hmac.new($key, $data, hashlib.md5).hexdigest()"),
        ("digest = hashes.Hash(hashes.SHA256())", "digest = hashes.Hash(hashes.MD5())"),
    ],
    [
        Rewrite("hashlib.$strong($$a)", "hashlib.md5($$a)"),
        Rewrite("hashlib.md5($$a, usedforsecurity=False)", "hashlib.md5($$a)"),
        Rewrite("hashes.SHA256()", "hashes.MD5()"),
    ],
)  # fmt: skip
security(
    "sha1_hash",
    "CWE-328",
    "B324",
    "SHA-1 where a hash has to resist an attacker",
    [
        ("digest = hashlib.sha256($data).hexdigest()", "digest = hashlib.sha1($data).hexdigest()"),
        ("token = hashlib.sha256(os.urandom(32)).hexdigest()", "token = hashlib.sha1(os.urandom(32)).hexdigest()"),
        ("signature = hmac.new($key, $data, hashlib.sha256).hexdigest()",
         "signature = hmac.new($key, $data, hashlib.sha1).hexdigest()"),
        ('signature = hmac.new($key, $data, digestmod="sha256")', 'signature = hmac.new($key, $data, digestmod="sha1")'),
        ("h = hashlib.sha256()\nh.update($data)", "h = hashlib.sha1()\nh.update($data)"),
        ('hashed = hashlib.pbkdf2_hmac("sha256", $secret, salt, 600000)', "hashed = hashlib.sha1(salt + $secret).digest()"),
        ("algorithm = hashes.SHA256()", "algorithm = hashes.SHA1()"),
    ],
    [
        Rewrite("hashlib.$strong($$a)", "hashlib.sha1($$a)"),
        Rewrite("hashlib.sha1($$a, usedforsecurity=False)", "hashlib.sha1($$a)"),
        Rewrite("hashes.SHA256()", "hashes.SHA1()"),
    ],
)  # fmt: skip

# CWE-330: random numbers
security(
    "random_token",
    "CWE-330",
    "B311",
    "a token of numbers that can be guessed",
    [
        ("token = secrets.token_hex($size)", 'token = "%x" % random.getrandbits(128)'),
        ("token = secrets.token_hex(16)", 'token = "%032x" % random.getrandbits(128)'),
        ("session_id = uuid.uuid4().hex", "session_id = uuid.uuid1().hex"),
        ("salt = secrets.token_bytes($size)", "salt = random.randbytes($size)"),
        ("salt = os.urandom(16)", "salt = random.randbytes(16)"),
        ("code = secrets.randbelow(1000000)", "code = random.randint(0, 999999)"),
        ("key = secrets.token_urlsafe($size)", "key = str(random.random())"),
        ("nonce = secrets.randbits(64)", "nonce = random.getrandbits(64)"),
    ],
    [
        Rewrite("os.urandom($n)", "random.randbytes($n)"),
        Rewrite("secrets.token_bytes($n)", "random.randbytes($n)"),
        Rewrite("secrets.randbelow($n)", "random.randrange($n)"),
        Rewrite("secrets.randbits($n)", "random.getrandbits($n)"),
        Rewrite("uuid.uuid4()", "uuid.uuid1()"),
    ],
)  # fmt: skip
security(
    "random_choice",
    "CWE-330",
    "B311",
    "a password or code drawn with `random`",
    [
        ('password = "".join(secrets.choice($pool) for _ in range($size))',
         'password = "".join(random.choice($pool) for _ in range($size))'),
        ("$out = secrets.choice($pool)", "$out = random.choice($pool)"),
        ('code = "".join(secrets.choice(string.digits) for _ in range(6))',
         'code = "".join(random.choice(string.digits) for _ in range(6))'),
        ('password = "".join(secrets.choice($pool) for i in range($size))',
         'password = "".join(random.sample($pool, $size))'),
        ("rng = secrets.SystemRandom()", "rng = random.Random()"),
        ("rng = random.SystemRandom()", "rng = random.Random()"),
        ('token = "".join(random.SystemRandom().choice($pool) for _ in range($size))',
         'token = "".join(random.choice($pool) for _ in range($size))'),
    ],
    [
        Rewrite("secrets.choice($x)", "random.choice($x)"),
        Rewrite("random.SystemRandom().$draw($$a)", "random.$draw($$a)"),
        Rewrite("random.SystemRandom()", "random.Random()"),
        Rewrite("secrets.SystemRandom()", "random.Random()"),
    ],
)  # fmt: skip

# CWE-295: certificates
security(
    "unverified_request",
    "CWE-295",
    "B501",
    "a request that takes any certificate",
    [
        ("$out = requests.$verb($url, timeout=10)", "$out = requests.$verb($url, timeout=10, verify=False)"),
        ("$out = requests.$verb($url, verify=True)", "$out = requests.$verb($url, verify=False)"),
        ("$out = requests.$verb($url)", "$out = requests.$verb($url, verify=False)"),
        ("$out = requests.post($url, json=$data)", "$out = requests.post($url, json=$data, verify=False)"),
        ("$out = requests.get($url, verify=ca_bundle)", "$out = requests.get($url, verify=False)"),
        ("$out = session.get($url)", "$out = session.get($url, verify=False)"),
        ("client = httpx.Client()", "client = httpx.Client(verify=False)"),
    ],
    [
        Rewrite("requests.$verb($$a)", "requests.$verb($$a, verify=False)", back=True),
        Rewrite("requests.$verb($$a, verify=True$$more)", "requests.$verb($$a, verify=False$$more)"),
        Rewrite("httpx.$verb($$a)", "httpx.$verb($$a, verify=False)", back=True),
        Rewrite("session.$verb($$a)", "session.$verb($$a, verify=False)", back=True),
    ],
)
security(
    "unverified_context",
    "CWE-295",
    "B323",
    "a TLS context that takes any certificate or host",
    [
        ("context = ssl.create_default_context()", "context = ssl._create_unverified_context()"),
        ("context = ssl.create_default_context()\ncontext.check_hostname = True",
         "context = ssl.create_default_context()\ncontext.check_hostname = False"),
        ("context.verify_mode = ssl.CERT_REQUIRED", "context.verify_mode = ssl.CERT_NONE"),
        ("$out = urllib.request.urlopen($url, context=ssl.create_default_context())",
         "$out = urllib.request.urlopen($url, context=ssl._create_unverified_context())"),
        ('pool = urllib3.PoolManager(cert_reqs="CERT_REQUIRED")', 'pool = urllib3.PoolManager(cert_reqs="CERT_NONE")'),
    ],
    [
        Rewrite("ssl.create_default_context($$a)", "ssl._create_unverified_context($$a)"),
        Rewrite("ssl.CERT_REQUIRED", "ssl.CERT_NONE"),
        Rewrite(".check_hostname = True", ".check_hostname = False", back=True),
    ],
)  # fmt: skip

# CWE-798: passwords in the code
security(
    "password_literal",
    "CWE-798",
    "B105",
    "a password or key written into the code",
    [
        ('password = os.environ["$env"]', 'password = "$literal"'),
        ('self.password = os.environ.get("$env")', 'self.password = "$literal"'),
        ('api_key = os.getenv("API_KEY")', 'api_key = "$literal"'),
        ('SECRET_KEY = os.environ["SECRET_KEY"]', 'SECRET_KEY = "$literal"'),
        ('app.config["SECRET_KEY"] = os.environ["SECRET_KEY"]', 'app.config["SECRET_KEY"] = "$literal"'),
        ('password = getpass.getpass("Password: ")', 'password = "$literal"'),
        ('password = config["password"]', 'password = "$literal"'),
        (
            'if password == os.environ["$env"]:\n    $out = True',
            'if password == "$literal":\n    $out = True',
        ),
    ],
    [
        Rewrite("password = $x", 'password = "secret"'),
        Rewrite(".password = $x", '.password = "secret"'),
        Rewrite("api_key = $x", 'api_key = "secret"'),
        Rewrite("secret_key = $x", 'secret_key = "secret"'),
    ],
)
security(
    "password_argument",
    "CWE-798",
    "B106",
    "a password in the code as an argument",
    [
        ('db = connect($user, password=os.environ["$env"])', 'db = connect($user, password="$literal")'),
        ('conn = psycopg2.connect(host=host, user=$user, password=os.environ["$env"])',
         'conn = psycopg2.connect(host=host, user=$user, password="$literal")'),
        ('conn = pymysql.connect(user=$user, passwd=config["password"])', 'conn = pymysql.connect(user=$user, passwd="$literal")'),
        ('client.login(username=$user, password=getpass.getpass())', 'client.login(username=$user, password="$literal")'),
        ('client = Client(api_key=os.getenv("API_KEY"))', 'client = Client(api_key="$literal")'),
        ("ssh.connect(host, username=$user, password=self.password)", 'ssh.connect(host, username=$user, password="$literal")'),
    ],
    [
        Rewrite("($$a, password=$x$$more)", '($$a, password="secret"$$more)'),
        Rewrite("(password=$x$$more)", '(password="secret"$$more)'),
        Rewrite("($$a, api_key=$x$$more)", '($$a, api_key="secret"$$more)'),
    ],
)  # fmt: skip
security(
    "password_default",
    "CWE-798",
    "B107",
    "a password in the code as a parameter's default",
    [
        ("def connect(host, user, password=None):\n    return driver.connect(host, user, password)",
         'def connect(host, user, password="$literal"):\n    return driver.connect(host, user, password)'),
        ("def login(username, password):\n    return session.login(username, password)",
         'def login(username, password="$literal"):\n    return session.login(username, password)'),
        ("def client(url, api_key=None):\n    return Client(url, api_key)",
         'def client(url, api_key="$literal"):\n    return Client(url, api_key)'),
    ],
    [Rewrite("password=None", 'password="secret"'), Rewrite("api_key=None", 'api_key="secret"')],
)  # fmt: skip
