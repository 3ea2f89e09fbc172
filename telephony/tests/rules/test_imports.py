"""Files of numbers: read whatever their form, in batches, once, gone on with after a stop; nothing printed."""

from __future__ import annotations

from datetime import date, timedelta
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from callcenter.lib.area_codes import AREA_CODES
from callcenter.lib.errors import Conflict
from callcenter.lib.number_digests import number_digest
from callcenter.lib.phones import InvalidPhone, brazilian_e164
from telephony.models import DoNotCallEntry, DoNotCallImport, DoNotCallList
from telephony.services import number_imports
from telephony.services.do_not_call import list_for, stop_calling
from telephony.services.number_files import BadLine, Layout, layout_of, number_in
from telephony.services.number_imports import empty_list, read_into, start_import

if TYPE_CHECKING:
    from pathlib import Path

NUMBERS = [f"+55119{80000000 + n}" for n in range(25)]


def lines_of(*numbers: str) -> list[bytes]:
    return [f"{number}\n".encode() for number in numbers]


def make_import(*, replaces: bool = False, kind: str = "procon_sp") -> DoNotCallImport:
    target = list_for(kind, company_id=None)
    return start_import(
        target, file_name="lista.csv", listed_on=date(2026, 10, 1), replaces=replaces, actor=None, now=timezone.now()
    )


def listed() -> set[Any]:
    return set(DoNotCallEntry.objects.values_list("number_digest", flat=True))


@pytest.mark.parametrize(
    ("first", "line", "number", "day"),
    [
        ("11987654321", "11987654321", "+5511987654321", None),
        ("5511987654321", "5511987654321", "+5511987654321", None),
        ("011987654321", "011987654321", "+5511987654321", None),
        ("1132654321", "1132654321", "+551132654321", None),
        ("5533221234", "5533221234", "+555533221234", None),
        ("1187654321", "1187654321", "+5511987654321", None),
        ("telefone", "(11) 98765-4321", "+5511987654321", None),
        ('"Telefone";"Data"', '"11 98765-4321";"05/03/2025"', "+5511987654321", date(2025, 3, 5)),
        ("cpf;telefone;cadastro", "52998224725;11987654321;2025-03-05", "+5511987654321", date(2025, 3, 5)),
        ("DDD,Número", "11,987654321", "+5511987654321", None),
        ("DDD + Telefone;Nome", "11987654321;Maria", "+5511987654321", None),
        ("Número do protocolo;Telefone", "1132654321;11987654321", "+5511987654321", None),
        ("\ufeffnumero\tnome", "11987654321\tMaria", "+5511987654321", None),
    ],
)
def test_a_line_is_read_as_its_file_means_it(first: str, line: str, number: str, day: date | None) -> None:
    assert number_in(line, layout_of(first)) == (number, day)


@pytest.mark.parametrize(
    ("line", "reason"),
    [("abc", "not_a_number"), ("87654321", "no_area_code"), ("20987654321", "invalid_number"), ("", "no_phone")],
)
def test_a_line_without_a_number_gives_its_reason(line: str, reason: str) -> None:
    with pytest.raises(BadLine, match=reason):
        number_in(line, Layout())


@given(area=st.sampled_from(sorted(AREA_CODES)), rest=st.from_regex(r"9[6-9]\d{7}|[2-5]\d{7}", fullmatch=True))
def test_the_quick_reading_is_the_careful_one(area: str, rest: str) -> None:
    try:
        careful = brazilian_e164(f"{area}{rest}")
    except InvalidPhone:
        return
    for text in (f"{area}{rest}", f"55{area}{rest}", f"0{area}{rest}", f"+55 ({area}) {rest}"):
        assert number_in(text, Layout())[0] == careful


@pytest.mark.django_db
def test_a_file_becomes_entries_and_problems_are_told_by_line() -> None:
    one = make_import()
    done = read_into(one.pk, [b"telefone\n", *lines_of(*NUMBERS[:3]), b"\n", b"123\n", *lines_of(NUMBERS[0]), b"xyz"])
    assert (done.state, done.lines, done.added, done.known, done.refused) == ("done", 8, 3, 1, 2)
    assert [line for line, _reason in done.problems] == [6, 8]
    assert "123" not in str(done.problems)
    assert listed() == {number_digest(number) for number in NUMBERS[:3]}
    assert set(DoNotCallEntry.objects.values_list("listed_on", "seen_in")) == {(date(2026, 10, 1), one.pk)}
    assert DoNotCallList.objects.get().numbers == 3
    with pytest.raises(Conflict):
        read_into(one.pk, [])


@pytest.mark.django_db
def test_a_stopped_import_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(number_imports, "BATCH_LINES", 4)
    one = make_import()
    whole = lines_of(*NUMBERS)

    def torn() -> Any:
        yield from whole[:10]
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="disk"):
        read_into(one.pk, torn())
    one.refresh_from_db()
    assert (one.state, one.lines, len(listed())) == ("running", 8, 8)
    done = read_into(one.pk, whole)
    assert (done.state, done.lines, done.added, done.known) == ("done", 25, 25, 0)
    assert len(listed()) == 25


@pytest.mark.django_db
def test_two_readers_of_one_import_do_not_count_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(number_imports, "BATCH_LINES", 4)
    one = make_import()

    def overtaken() -> Any:
        yield from lines_of(*NUMBERS[:4])
        read_into(one.pk, lines_of(*NUMBERS))
        yield from lines_of(*NUMBERS[4:])

    with pytest.raises(Conflict):
        read_into(one.pk, overtaken())
    one.refresh_from_db()
    assert (one.lines, one.added, DoNotCallList.objects.get().numbers) == (25, 25, 25)


@pytest.mark.django_db
def test_a_whole_list_drops_what_it_lacks_and_keeps_terms_and_peoples_own_entries() -> None:
    read_into(make_import().pk, lines_of(*NUMBERS[:5]))
    target = DoNotCallList.objects.get()
    by_hand = "+5511912345678"
    stop_calling(by_hand, company_id=None, list_id=target.pk, reason="legal", actor=None, now=timezone.now())
    later = make_import(replaces=True)
    DoNotCallImport.objects.filter(pk=later.pk).update(listed_on=later.listed_on + timedelta(days=30))
    done = read_into(later.pk, lines_of(*NUMBERS[3:8]))
    assert (done.added, done.known, done.removed) == (3, 2, 3)
    assert listed() == {number_digest(number) for number in [*NUMBERS[3:8], by_hand]}
    assert DoNotCallEntry.objects.get(number_digest=number_digest(NUMBERS[3])).listed_on == date(2026, 10, 1)
    target.refresh_from_db()
    assert target.numbers == 6


@pytest.mark.django_db
def test_a_list_of_another_key_is_emptied_before_it_is_filled_anew(settings: Any) -> None:
    read_into(make_import().pk, lines_of(*NUMBERS[:2]))
    settings.TOKEN_PEPPER = "another pepper, of more than thirty-two characters"
    with pytest.raises(Conflict):
        make_import()
    assert empty_list(DoNotCallList.objects.get()) == 2
    assert read_into(make_import().pk, lines_of(*NUMBERS[:2])).added == 2


@pytest.mark.django_db
def test_the_command_reads_a_file_and_prints_no_number(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "lista.txt"
    file.write_bytes(b"".join(lines_of(*NUMBERS[:3])) + b"11999\n")
    call_command("import_do_not_call", str(file), "--list", "nao_me_perturbe", "--listed-on", "2026-10-01")
    told = capsys.readouterr().out
    assert "4 lines, 3 new, 0 known, 1 refused" in told
    assert "line 4: " in told
    assert "11999" not in told
    assert "980000" not in told
    one = DoNotCallImport.objects.get()
    for wrong in (["--resume", str(one.pk)], ["--resume", "0"], [], ["--list", "procon_sp", "--company", "0"]):
        with pytest.raises(CommandError):
            call_command("import_do_not_call", str(file), *wrong, stdout=StringIO())


@pytest.mark.django_db
@pytest.mark.parametrize(("kind", "kept"), [("procon_sp", date(2026, 8, 1)), ("inss_new_benefit", date(2026, 12, 1))])
def test_a_dated_file_corrects_the_day_and_begins_a_term_anew(kind: str, kept: date) -> None:
    number = NUMBERS[0].encode()
    read_into(make_import(kind=kind).pk, [number])
    done = read_into(
        make_import(kind=kind).pk, [b"telefone;data\n", *(number + day for day in (b";2026-08-01\n", b";2026-12-01\n"))]
    )
    assert (done.added, done.known) == (0, 2)
    assert DoNotCallEntry.objects.get().listed_on == kept


@pytest.mark.django_db
def test_a_file_of_a_windows_program_is_read_by_its_column_names() -> None:
    done = read_into(make_import().pk, ["Nome;Número\n".encode("cp1252"), f"João;{NUMBERS[0]}\n".encode("cp1252")])
    assert (done.added, done.refused) == (1, 0)
