"""Byte-level BPE for source code: one cell for a line's indentation, then tokens, then one cell for its end.

A single space between two words is not written down at all (word pieces that continue a word carry the
BPE model's continuation mark, so two words that touch are known to be two), and a space beside an operator belongs to
the operator's piece. So an identifier never shares a token with white space, `a = f(b, c)` is nine cells, and the
inverse is exact: every byte that is not implied has a token of its own.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer

from ctm.files import write_json

FORMAT_VERSION = 1
PAD, CONT, EOL, END, STOP = range(5)
MAX_SPACES = 40  # deeper indentation continues as ordinary white-space tokens
MAX_TABS = 8
CACHED_LINES = 1 << 16
CACHED_PIECES = 1 << 17
MOST_REPEATS = 20_000  # a piece seen more often than this is merged early anyway
CONTINUES = "##"  # marks a piece that is not the first of its word, operator or space run
SPECIALS = (
    ["<pad>", "<cont>", "<eol>", "<end>", "<stop>"]
    + [f"<spaces:{n}>" for n in range(MAX_SPACES + 1)]
    + [f"<tabs:{n}>" for n in range(1, MAX_TABS + 1)]
)
LEAST_VOCABULARY = len(SPECIALS) + 576
"""The special tokens, two for each byte, and 64 merges."""
_INDENT = re.compile(rf"\t{{1,{MAX_TABS}}}(?![\t ])| {{0,{MAX_SPACES}}}(?![\t ])|")
_SIGN = r"[\x00-\x08\x0e-\x1b!-/:-@[-^`{-\x7f]"  # ASCII but words and white space; [^…\U0010ffff] compiles in 5 ms
_OPERATOR = (
    rf"(?={_SIGN})(?:[][(){{}},;#$?\\~`]"  # a look at one sign saves most of the many alternatives
    r"|\*\*=|//=|>>=|<<=|\.\.\.|->|:=|==|!=|<=|>=|<>|\*\*|//|>>|<<|[-+*/%@&|^]=|&&|\|\||\+\+|--|\"\"\"|\'\'\'"
    rf"|{_SIGN})"
)
# a word; an operator with the single space on either side; letters and signs outside ASCII; other white space; last,
# and no piece but "", the single space between two words, which is implied
_PIECE = re.compile(
    rf"([0-9A-Za-z_]+| ?{_OPERATOR}(?: (?! |$))?|[^\x00-\x7f\s]+|\s+?(?= ?{_SIGN})"
    r"|(?!(?<=[0-9A-Za-z_]) (?=[0-9A-Za-z_]))\s+)|(?<=[0-9A-Za-z_]) (?=[0-9A-Za-z_])"
)


def _byte_alphabet() -> list[str]:
    """256 printable characters, one per byte value, as byte-level BPE of GPT-2 chooses them."""
    kept = [*range(33, 127), *range(161, 173), *range(174, 256)]
    return [chr(b) if b in kept else chr(256 + i) for b, i in _numbered(kept)]


def _numbered(kept: list[int]) -> Iterable[tuple[int, int]]:
    spare = 0
    for byte in range(256):
        yield byte, spare
        spare += byte not in kept


ALPHABET = _byte_alphabet()
_ALPHABET = dict(enumerate(ALPHABET))
_TO_BYTE = {ord(c): b for b, c in enumerate(ALPHABET)}


class CodeTokenizer:
    """Text <-> ids of packed cells (no CONT, PAD, END).

    `encode` never fails: every str has ids (lone surrogates too), and `decode(encode(text)) == text`.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._bpe = tokenizer
        self._vocabulary = tokenizer.get_vocab_size()
        names = [tokenizer.id_to_token(i) or "" for i in range(self._vocabulary)]
        if names[: len(SPECIALS)] != SPECIALS:
            raise ValueError(
                f"the first {len(SPECIALS)} tokens must be the special ones ({', '.join(SPECIALS[:2])}, ...)"
            )
        self._bytes = [b""] * self._vocabulary
        self._first = [False] * self._vocabulary
        self._spaces = {" " * n: 5 + n for n in range(MAX_SPACES + 1)}
        self._spaces |= {"\t" * n: 5 + MAX_SPACES + n for n in range(1, MAX_TABS + 1)}
        self._lines = _Lines(tokenizer, self._spaces)
        for text, index in self._spaces.items():
            self._bytes[index] = text.encode()
        self._bytes[EOL] = b"\n"
        for index in range(len(SPECIALS), self._vocabulary):
            name = names[index]
            self._first[index] = not name.startswith(CONTINUES)
            self._bytes[index] = bytes(_TO_BYTE[ord(c)] for c in name.removeprefix(CONTINUES))
        self._characters = [sum(byte & 0xC0 != 0x80 for byte in raw) for raw in self._bytes]
        words = (self._bytes[i].replace(b"_", b"a") for i in range(self._vocabulary))
        self._word = [i >= len(SPECIALS) and raw.isalnum() for i, raw in enumerate(words)]

    # --- training and files -------------------------------------------------------------------------------------

    @classmethod
    def train(cls, texts: Iterable[str], vocabulary: int) -> CodeTokenizer:
        """Count merges inside pieces (words, operators, white space) of `texts`."""
        if vocabulary < LEAST_VOCABULARY:
            raise ValueError(
                f"tokenizer.vocabulary is {vocabulary}; it must be at least {LEAST_VOCABULARY} (special tokens, two "
                "for each byte, and 64 merges)"
            )
        tokenizer = Tokenizer(BPE(continuing_subword_prefix=CONTINUES))
        # every byte first and every byte continuing, so that no text lacks a token
        tokens = SPECIALS + ALPHABET + [CONTINUES + c for c in ALPHABET]
        trainer = BpeTrainer(
            vocab_size=vocabulary,
            show_progress=False,
            # bytes too: left to itself, the trainer numbers them in the order of a hash map, and ties follow numbers
            special_tokens=tokens,
            continuing_subword_prefix=CONTINUES,
            min_frequency=2,
        )
        counts: dict[str, int] = {}
        for text in texts:
            for line in text.split("\n"):
                for piece in filter(None, _PIECE.findall(line, _indent_end(line))):
                    counts[piece] = counts.get(piece, 0) + 1
        tokenizer.train_from_iterator(_repeated(counts), trainer)
        model = json.loads(tokenizer.to_str())["model"]
        vocab: dict[str, int] = {}
        for token in tokens:
            vocab[token] = len(vocab)
        merges = []
        for left, right in model["merges"]:
            merged = left + right.removeprefix(CONTINUES)
            if merged not in vocab:
                if len(vocab) >= vocabulary:
                    break
                vocab[merged] = len(vocab)
            merges.append((left, right))
        return cls(Tokenizer(BPE(vocab=vocab, merges=merges, continuing_subword_prefix=CONTINUES)))

    @classmethod
    def load(cls, path: Path) -> CodeTokenizer:
        """Read `tokenizer.json`. Raises ValueError if the file is no tokenizer of this project, whatever it is."""
        try:
            stored = json.loads(Path(path).read_text(encoding="utf-8"))
            version = stored["format_version"]
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise ValueError(f"{path}: not a tokenizer of this project ({error})") from error
        if version != FORMAT_VERSION:
            raise ValueError(
                f"{path}: format_version {version!r:.20}, expected {FORMAT_VERSION}; train it again"
            )
        # files of before there were checksums have none
        if "sha256" in stored and stored["sha256"] != _checksum(stored):
            raise ValueError(f"{path}: damaged: its checksum differs; copy it again, or train it again")
        try:
            vocab = {token: index for index, token in enumerate(stored["vocabulary"])}
            merges = [(left, right) for left, right in stored["merges"]]
            for left, right in merges:  # of merges that do not fit, the library panics instead of raising
                if not right.startswith(CONTINUES) or left + right.removeprefix(CONTINUES) not in vocab:
                    raise ValueError(
                        f"cannot merge {left!a:.20} and {right!a:.20}: the result is no token of the vocabulary"
                    )
            return cls(Tokenizer(BPE(vocab=vocab, merges=merges, continuing_subword_prefix=CONTINUES)))
        except Exception as error:  # the library raises Exception itself
            raise ValueError(f"{path}: not a tokenizer of this project ({str(error)[:200]})") from error

    def save(self, path: Path) -> None:
        """Write `tokenizer.json`, with a checksum of its content, in one rename."""
        model = json.loads(self._bpe.to_str())["model"]
        merges = [m.split(" ") if isinstance(m, str) else list(m) for m in model["merges"]]
        vocabulary = [self._bpe.id_to_token(i) for i in range(self._vocabulary)]
        content = {"format_version": FORMAT_VERSION, "vocabulary": vocabulary, "merges": merges}
        write_json(path, {**content, "sha256": _checksum(content)}, end="", indent=0, ensure_ascii=False)

    @property
    def vocab_size(self) -> int:
        """Number of ids, V."""
        return self._vocabulary

    @property
    def fingerprint(self) -> str:
        """sha256 over tokens and merges: two tokenizers with the same one give the same ids."""
        return hashlib.sha256(self._bpe.to_str().encode()).hexdigest()

    # --- text to ids and back -----------------------------------------------------------------------------------

    def encode(self, text: str) -> list[int]:
        """Ids of the packed cells; the EOL cell is absent after a last line without line end, and "" has no cells."""
        lines = text.split("\n")
        ids = list(itertools.chain.from_iterable(map(self._lines.__getitem__, lines)))
        del ids[-1 if lines[-1] else -2 :]
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        """Exact inverse of `encode`; for ids that no text has (a model's answer) invalid UTF-8 becomes U+FFFD."""
        word, first, spelt, out = self._word, self._first, self._bytes, []
        after_word = False
        for index in ids:
            if word[index]:
                out.append(b" " + spelt[index] if after_word and first[index] else spelt[index])
                after_word = True
            else:
                out.append(spelt[index])
                after_word = False
        raw = b"".join(out)
        try:
            return raw.decode("utf-8", errors="surrogatepass")
        except UnicodeDecodeError:
            return raw.decode("utf-8", errors="replace")

    # --- what the model and the edits need to know of a token ----------------------------------------------------

    def is_word(self, index: int) -> bool:
        """Whether the token is made of letters, digits and underscores (or bytes of such letters)."""
        return self._word[index]

    def starts_word(self, index: int) -> bool:
        """Whether an identifier, keyword or number begins with this token."""
        return self._word[index] and self._first[index]

    def text_of(self, index: int) -> bytes:
        """The bytes a token stands for (b"" for PAD, CONT, END, STOP)."""
        return self._bytes[index]

    def characters_of(self, index: int) -> int:
        """How many characters begin in the token."""
        return self._characters[index]


class _Lines(dict[str, tuple[int, ...]]):
    """Ids of lines, each with its end; those not seen yet are encoded, and all forgotten when there are too many."""

    def __init__(self, tokenizer: Tokenizer, spaces: dict[str, int]) -> None:
        super().__init__()
        self._spaces, self._piece = spaces, _Pieces(tokenizer).__getitem__

    def __missing__(self, line: str) -> tuple[int, ...]:
        end = _indent_end(line)
        pieces = map(self._piece, _PIECE.findall(line, end))
        found = (self._spaces[line[:end]], *itertools.chain.from_iterable(pieces), EOL)
        if len(self) >= CACHED_LINES:
            self.clear()
        self[line] = found
        return found


class _Pieces(dict[str, tuple[int, ...]]):
    """Ids of pieces; those not seen yet are looked up, and kept as long as there are not too many."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        super().__init__({"": ()})
        self._tokenize = tokenizer.model.tokenize

    def __missing__(self, piece: str) -> tuple[int, ...]:
        found = tuple([token.id for token in self._tokenize(_printable(piece))])
        if len(self) < CACHED_PIECES:
            self[piece] = found
        return found


def _checksum(content: Mapping[str, object]) -> str:
    """Of what `tokenizer.json` holds, less the checksum."""
    rest = {key: value for key, value in content.items() if key != "sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def _printable(piece: str) -> str:
    """One character of the alphabet for each byte."""
    return piece.encode("utf-8", errors="surrogatepass").decode("latin-1").translate(_ALPHABET)


def _indent_end(line: str) -> int:
    match = _INDENT.match(line)
    return match.end() if match else 0


def _repeated(counts: dict[str, int]) -> Iterable[str]:
    for piece, count in sorted(counts.items()):
        yield from itertools.repeat(_printable(piece), min(count, MOST_REPEATS))
