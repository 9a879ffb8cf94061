"""The names of columns: as this program writes them, and as editing programs, spreadsheets and people spell them.

A name may include the unit of the values: ``Start (s)``, ``end_ms``, ``Begin Time - ss.msec``, ``Start Frame``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from scenefer.core.errors import SheetError
from scenefer.core.text import did_you_mean
from scenefer.interchange.list_formats import readable
from scenefer.interchange.scene_row import COLUMNS, REQUIRED

# By role, most likely spelling first. Only letters and digits count; case is ignored. In English, German, French,
# Spanish, Italian, Portuguese, Dutch and Indonesian, as localised editing programs name their exports.
_SPELLINGS = {
    "scene": (
        "scene scenename scenetitle szene szenenname scène escena cena scena adegan namaadegan slugline sceneid"
        " markername markernaam nomdumarqueur nomdurepère nombredelmarcador nombredemarcador nomedomarcador"
        " nomemarcatore nomeindicatore markenname namapenanda marker marke marqueur marcador clipname shotname"
        " eventname cuename subclipname segment séquence sequence sekvens chapter section part beat cue name title"
        " label titel titre título titolo nama naam nom nombre nome scenenumber sceneno scenenr szenennummer"
        " nomoradegan shot plan take event behavior behaviour clip number no nr nummer numéro número nomor #"
    ),
    "start": (
        "start starttime starts startzeit starttc starttimecode startpoint startsat begin begintime begintc begins"
        " beginning in inpoint intime intc intimecode tcin timecodein markin inpunkt recordin recin recordstart from"
        " onset beginn anfang anfangszeit von début debut entrée entree pointdentrée pointdentree inicio comienzo"
        " desde entrada puntodeentrada inizio ingresso attacco início van mulai awal waktumulai masuk dari timecode tc"
        " time timestamp position location zeit temps tiempo tempo waktu"
    ),
    "end": (
        "end endtime endzeit endtc endtimecode endpoint endsat ending ends out outpoint outtime outtc outtimecode"
        " tcout timecodeout markout outpunkt recordout recout recordend to until till stop stoptime finish offset ende"
        " bis schluss fin sortie pointdesortie hasta salida puntodesalida fine uscita fim saída saida tot einde"
        " selesai akhir waktuselesai keluar sampai"
    ),
    "duration": (
        "duration dur length len lasts markerduration dauer länge laenge laufzeit durée duree duración duracion"
        " durata duração duracao duur durasi lama panjang"
    ),
    "intended": (
        "intended intention intentions intent meant directorsintention targetemotion intendedmood intendedfeeling"
        " intendedemotion intendedexpression beabsichtigt absicht dimaksud maksud emosidimaksud intención intenzione"
    ),
    "character": ("character figur personnage personaje personaggio personagem personage tokoh karakter"),
    "note": (
        "note notes comment comments description remark remarks notiz notizen anmerkung bemerkung beschreibung"
        " kommentar remarque commentaire nota notas comentario comentarios descripción descrizione commento descrição"
        " comentário opmerking catatan keterangan komentar"
    ),
    # Not one of our columns, but read as "intended" if there is no such column.
    "emotion": (
        "emotion emotions emotionlabel emolabel mainemotion dominantemotion feeling mood expression affect gefühl"
        " stimmung ausdruck émotion humeur emoción emozione emoção emotie emosi perasaan ekspresi"
    ),
}
SCENE_WORDS = ("scene", "scène", "szene", "escena", "cena", "scena", "adegan", "namaadegan", "slugline")  # scenes only
_RANKS = {role: {word: rank for rank, word in enumerate(words.split())} for role, words in _SPELLINGS.items()}
_SIZES = {  # seconds per unit
    1.0: "s sec secs second seconds sekunden segundos secondes secondi detik ssmsec sms ssms",
    0.001: "ms msec msecs millisecond milliseconds millisekunden milidetik",
    60.0: "m min mins minutes minuten menit",
    0.0: "frame frames f bild bilder bingkai",  # converted at the film's frame rate
}
_UNITS = {word: size for size, words in _SIZES.items() for word in words.split()}
_NO_UNITS = ("tc", "timecode", "time", "smpte", "clock", "mmss", "hmmss", "hhmmss", "hhmmssff", "hhmmssms")
_NOISE = (
    "t",
    "tc",
    "time",
    "timecode",
    "timestamp",
    "at",
    "point",
    "the",
    "of",
    "scene",
    "shot",
    "clip",
    "marker",
    "film",
)
_BRACKETED = re.compile(r"(.*?)\s*(?:[(\[]\s*([^)\]]*?)\s*[)\]]|\s-\s*(\S+))\s*")
_TIMES = ("start", "end", "duration")


class Column(NamedTuple):
    """A column of a list: its position and the unit of its values."""

    place: int
    name: str  # as spelt in the file
    unit: float | None = None  # seconds per unit; 0 = frames; None = each value states its own form


class Header(NamedTuple):
    """The header of a list: its columns by role, and the remaining columns."""

    row: int  # row number in the file
    names: list[str]
    columns: dict[str, Column]
    others: list[Column]

    @property
    def spelt(self) -> list[str]:
        """List columns that were recognised under a name other than ours."""
        return [
            f"{column.name} = {role}"
            for role, column in self.columns.items()
            if column.name.casefold() != role and role != "emotion"
        ]

    def is_whole(self) -> bool:
        """Tell whether the header plausibly has the columns that a list of scenes needs."""
        return "start" in self.columns and len(self.columns) > 1


def read_header(row: int, cells: Sequence[str]) -> Header:
    """Assign roles to the columns of a header line; if several fit a role, the best spelling gets it."""
    found: dict[str, tuple[int, Column]] = {}
    known = [_role(place, cell) for place, cell in enumerate(cells)]
    for entry in known:
        if entry is None:
            continue
        role, rank, column = entry
        if role not in found or rank < found[role][0]:
            found[role] = rank, column
    columns = {role: found[role][1] for role in _RANKS if role in found}
    taken = {column.place for column in columns.values()}
    others = [Column(place, cell) for place, cell in enumerate(cells) if place not in taken]
    return Header(row, list(cells), columns, others)


def check_header(path: str, header: Header) -> None:
    """Check that column names are unique, that none is misspelt, and that the required ones exist.

    Raises:
        SheetError: one line with file, row, column and remedy.
    """
    where = f"{path}, row {header.row}"
    names = [name.casefold() if name.casefold() in COLUMNS else name for name in header.names]
    for name in names:
        if names.count(name) > 1:
            raise SheetError(f"{where}: column {name!r} stands there {names.count(name)} times; name every column once")
    missing = [name for name in COLUMNS if name not in header.columns]
    for column in header.others:
        if hint := did_you_mean(column.name.casefold(), missing, otherwise="", cutoff=0.75):
            raise SheetError(f"{where}: unknown column {column.name!r}: {hint}")
    for name in REQUIRED:
        if name not in header.columns and not (name == "end" and "duration" in header.columns):
            raise SheetError(
                f"{where}: column {name!r} is missing, found {', '.join(map(repr, header.names))}; "
                f"one row names the columns: {','.join(COLUMNS)}; {readable()}"
            )


def key_of(name: str) -> str:
    """Normalise a name to case-folded letters and digits; a name with neither, like ``#``, stays as it is."""
    text = unicodedata.normalize("NFC", name).casefold()
    return "".join(c for c in text if c.isalnum()) or text.strip()


def _role(place: int, cell: str) -> tuple[str, int, Column] | None:
    """Return the role of a column, the rank of its spelling (0 is best), and the column."""
    name, unit_text = cell, ""
    if match := _BRACKETED.fullmatch(cell):
        name, unit_text = match[1], match[2] or match[3]
    key, unit, penalty = key_of(name), _unit(unit_text), 0
    if unit_text and unit is None and key_of(unit_text) not in _NO_UNITS:
        key = key_of(cell)  # the brackets do not contain a unit
    role = _named(key)
    if role is None and (told := _of_words(name if unit else cell)):
        role, key = told[:2]
        unit = unit if unit is not None else told[2]
    if role is None:
        return None
    if role not in _TIMES:
        unit = None
    if unit == 0.0:
        penalty = 1000  # use frames only if no other column gives the time
    rank = 2 * _RANKS[role][key] + (cell.casefold() != role) + penalty
    return role, rank, Column(place, cell, unit)


def _of_words(cell: str) -> tuple[str, str, float | None] | None:
    """Parse the name of a time column by words: return its role, the key of its spelling, and the size of its unit.

    ``start_ms``, ``StartFrame``, ``End in s``, ``TC début``, ``t_end``.
    """
    text = unicodedata.normalize("NFC", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", cell)).casefold()
    words, unit = re.findall(r"[^\W_]+", text), None
    if len(words) > 1 and words[-1] in _UNITS:
        unit = _UNITS[words.pop()]
        words = words[:-1] if len(words) > 1 and words[-1] == "in" else words
    left = [word for word in words if word not in _NOISE] or words
    for key in ("".join(words), "".join(left)):
        role = _named(key)
        if role in _TIMES:
            return role, key, unit
    return None


def _named(key: str) -> str | None:
    return next((role for role, ranks in _RANKS.items() if key in ranks), None)


def _unit(text: str | None) -> float | None:
    return _UNITS.get(key_of(text)) if text else None
