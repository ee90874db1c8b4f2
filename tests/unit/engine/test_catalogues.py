"""What a run of `sync` does with catalogues, archives and object storage."""

from __future__ import annotations

import csv
import io
import os
import shutil
import tarfile

import pytest

import lookalike
from lookalike.core.errors import SourceError
from lookalike.engine.sources import open_uri, root_address
from lookalike.images.catalogue import CatalogueSource
from lookalike.images.catalogue_plan import CatalogueOptions
from lookalike.store.collection_store import Store
from lookalike.testing import ToyEncoder, draw_pictures


class CountingEncoder(ToyEncoder):
    """The toy encoder, counting pictures that pass through it."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = 0

    def encode_images(self, pictures):
        self.seen += len(pictures)
        return super().encode_images(pictures)


@pytest.fixture
def encoder():
    return CountingEncoder()


@pytest.fixture
def shop(tmp_path):
    """A folder with six pictures in img, and a catalogue that names five of them."""
    draw_pictures(tmp_path / "img", 6)
    files = sorted((tmp_path / "img").iterdir())
    rows = [(f"00{n}", f"img/{files[n].name}", f"product {n}", f"{n}.50", "2024-05-03") for n in range(5)]
    write(tmp_path / "c.csv", rows)
    return tmp_path


@pytest.fixture
def opened(tmp_path, encoder):
    with lookalike.open(tmp_path / "c.lookalike", encoder=encoder) as collection:
        yield collection


def write(path, rows, header=("id", "file", "title", "price", "added")):
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([header, *rows])


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.reader(stream))[1:]


def run(collection, paths=(), **options):
    *_, report = collection.sync(paths, index="later", **options)
    return report


def items(collection):
    """Every item by its id."""
    with Store.open(collection.path) as store, store.snapshot() as snapshot:
        found = snapshot.items_of(range(snapshot.count))
        return {item.id: item for some in found.values() for item in some}


def test_products_have_the_ids_of_their_catalogue_and_what_it_says(shop, opened):
    report = run(opened, [shop / "c.csv"])
    assert (report.added, report.encoded, report.skipped) == (5, 5, ())
    found = items(opened)
    assert sorted(found) == ["000", "001", "002", "003", "004"]
    said = {name: found["003"].metadata[name] for name in ("title", "price", "added", "group")}
    assert said == {"title": "product 3", "price": 3.5, "added": "2024-05-03", "group": "003"}
    with Store.open(opened.path) as store:
        assert store.setting("fields") == {"title": "text", "price": "float", "added": "date", "group": "text"}
        assert store.setting("text_fields") == ["title"]
        assert store.setting("group_by") == "group"


def test_what_was_said_about_a_catalogue_is_remembered_for_later_runs(shop, opened):
    options = CatalogueOptions(
        id_column="title", image_column="file", text_columns=("added",), types=(("price", "text"),), group_by="price"
    )
    first = run(opened, [shop / "c.csv"], catalogue=options)
    again = run(opened)
    assert (again.added, again.changed, again.removed) == (0, 0, 0)
    assert again.catalogues == first.catalogues
    assert items(opened)["product 3"].metadata["price"] == "3.50"
    with Store.open(opened.path) as store:
        assert (store.setting("text_fields"), store.setting("group_by")) == (["added"], "price")


def test_a_new_price_is_written_and_nothing_is_read_or_encoded(shop, opened, encoder):
    run(opened, [shop / "c.csv"])
    rows = rows_of(shop / "c.csv")
    rows[2][3] = "99.00"
    write(shop / "c.csv", rows)
    report = run(opened)
    assert (report.changed, report.added, report.removed, report.encoded, encoder.seen) == (1, 0, 0, 0, 5)
    assert items(opened)["002"].metadata["price"] == 99.0


def test_rows_that_did_not_change_write_nothing(shop, opened):
    run(opened, [shop / "c.csv"])
    with Store.open(opened.path) as store:
        with store.snapshot() as before:
            generation = before.generation
        run(opened)
        with store.snapshot() as after:
            assert after.generation == generation


def test_rows_that_left_are_gone_and_their_pictures_move_to_nobody(shop, opened, encoder):
    run(opened, [shop / "c.csv"])
    rows = rows_of(shop / "c.csv")
    write(shop / "c.csv", [*rows[1:], ("new", rows[0][1], "again", "1", "2024-05-04")])
    report = run(opened)
    assert (report.added, report.removed, report.moved, report.encoded) == (1, 1, 0, 0)
    assert sorted(items(opened)) == ["001", "002", "003", "004", "new"]


def test_a_row_that_shows_another_picture_keeps_its_id(shop, opened):
    run(opened, [shop / "c.csv"])
    files = sorted((shop / "img").iterdir())
    rows = rows_of(shop / "c.csv")
    rows[0][1] = f"img/{files[5].name}"
    write(shop / "c.csv", rows)
    report = run(opened)
    assert (report.changed, report.encoded) == (1, 1)
    assert items(opened)["000"].uri == str(files[5])


def test_pictures_known_from_their_folder_are_not_read_again(shop, opened, encoder):
    run(opened, [shop / "img"])
    report = run(opened, [shop / "c.csv"])
    assert (report.added, report.reused, report.encoded, encoder.seen) == (5, 5, 0, 6)
    found = items(opened)
    assert len(found) == 11
    assert found["001"].picture in {item.picture for id, item in found.items() if id != "001"}
    (shop / "img" / min(path.name for path in (shop / "img").iterdir())).unlink()
    report = run(opened)
    assert (report.removed, report.moved) == (1, 0)
    assert "000" in items(opened)


def test_products_that_share_a_picture_or_have_several_are_all_there(shop, opened, encoder):
    names = [f"img/{path.name}" for path in sorted((shop / "img").iterdir())]
    write(
        shop / "c.csv", [("a", names[0]), ("b", names[0]), ("c", "|".join(names[:3])), ("a", names[4])], ("id", "file")
    )
    report = run(opened, [shop / "c.csv"])
    found = items(opened)
    assert sorted(found) == ["a", "a/2", "b", "c", "c/2", "c/3"]
    assert {id: item.metadata["group"] for id, item in found.items() if "/" in id} == {
        "a/2": "a",
        "c/2": "c",
        "c/3": "c",
    }
    assert found["a"].picture == found["b"].picture == found["c"].picture
    assert (report.added, report.encoded, encoder.seen) == (6, 4, 4)
    assert run(opened).changed == 0


def test_a_missing_picture_is_told_and_an_item_that_is_known_stays(shop, opened):
    run(opened, [shop / "c.csv"])
    first = min((shop / "img").iterdir())
    first.rename(shop / "away.png")
    rows = rows_of(shop / "c.csv")
    write(shop / "c.csv", [*rows, ("005", "img/none.png", "never there", "1", "2024-05-03")])
    report = run(opened)
    assert sorted(each.reason for each in report.skipped) == [
        "row 2 (id 000): its picture is not there",
        "row 7 (id 005): its picture is not there",
    ]
    assert "000" in items(opened)
    assert [each.key for each in opened.failures()] == [b"005"]
    (shop / "away.png").rename(first)
    report = run(opened)
    assert (report.encoded, len(report.skipped)) == (0, 1)


def test_a_damaged_picture_is_told_with_the_id_of_its_product(shop, opened):
    (shop / "img" / "bad.png").write_bytes(b"nothing")
    write(shop / "c.csv", [("7", "img/bad.png")], ("id", "file"))
    for _ in range(2):
        (skipped,) = run(opened, [shop / "c.csv"]).skipped
        assert skipped.reason.startswith("id 7: ")
    assert [each.code for each in opened.failures()] == [skipped.code]


def test_ids_that_another_catalogue_has_get_its_name_before_them(shop, opened):
    run(opened, [shop / "c.csv"])
    write(shop / "d.csv", rows_of(shop / "c.csv")[:1])
    run(opened, [shop / "d.csv"])
    assert {"000", "d.csv:000"} <= set(items(opened))
    assert run(opened).changed == 0


def test_a_catalogue_cut_short_by_a_quote_removes_nothing(shop, opened):
    run(opened, [shop / "c.csv"])
    text = (shop / "c.csv").read_text()
    (shop / "c.csv").write_text(text.replace("product 1", '"product 1'))
    report = run(opened)
    assert report.removed == 0
    assert "not closed" in report.skipped[0].reason
    assert len(items(opened)) == 5


def test_a_catalogue_that_cannot_be_read_stops_only_the_run_that_names_it(shop, opened):
    run(opened, [shop / "c.csv", shop / "img"])
    whole = (shop / "c.csv").read_bytes()
    (shop / "c.csv").write_text("amount\n1\n")
    report = run(opened)
    assert [each.code for each in report.skipped] == ["unreadable"]
    assert (report.removed, len(items(opened))) == (0, 11)
    with pytest.raises(SourceError, match="which column"):
        run(opened, [shop / "c.csv"])
    (shop / "c.csv").write_bytes(whole)
    assert run(opened).skipped == ()


def test_a_catalogue_that_comes_back_during_a_run_loses_nothing(shop, opened, monkeypatch):
    run(opened, [shop / "c.csv"])
    exists, asked = os.path.exists, []

    def away_at_first(path):
        asked.extend([path] if os.fsencode(path).endswith(b"c.csv") else [])
        return exists(path) and len(asked) != 1

    monkeypatch.setattr(os.path, "exists", away_at_first)
    report = run(opened)
    assert (len(asked), report.removed, len(items(opened))) == (2, 0, 5)


def test_a_catalogue_that_breaks_off_while_it_is_read_keeps_its_items_and_the_run_goes_on(shop, opened, monkeypatch):
    run(opened, [shop / "c.csv", shop / "img"])

    def torn(self, *, stop):
        raise SourceError("the disk is gone")
        yield

    monkeypatch.setattr(CatalogueSource, "assets", torn)
    report = run(opened)
    assert [each.code for each in report.skipped] == ["unreadable"]
    assert (report.removed, len(items(opened))) == (0, 11)


def test_an_archive_that_was_taken_out_of_a_folder_of_them_stays_out(shop, opened):
    (shop / "shards").mkdir()
    for number, picture in enumerate(sorted((shop / "img").iterdir())[:2]):
        with tarfile.open(shop / "shards" / f"{number}.tar", "w") as tar:
            tar.add(picture, "a.png")
    run(opened, [f"tars:{shop / 'shards'}"])
    assert opened.remove(shop / "shards" / "0.tar") == 1
    assert (run(opened).added, len(items(opened))) == (0, 1)
    assert run(opened, [shop / "shards" / "0.tar"]).added == 1


def test_a_password_in_an_address_is_refused_without_being_told(opened):
    with pytest.raises(SourceError) as caught:
        run(opened, ["ftp://user:secret@127.0.0.1:1/x"])
    assert "secret" not in f"{caught.value} {caught.value.hint}"
    assert root_address(b"s3://bucket/a:b@c/") == b"s3://bucket/a:b@c"


def test_a_catalogue_that_was_never_read_leaves_no_trace(shop, opened):
    (shop / "d.csv").write_text("amount\n1\n")
    with pytest.raises(SourceError):
        run(opened, [shop / "d.csv"])
    assert opened.status()["roots"] == []


def test_a_catalogue_that_is_away_keeps_its_products(shop, opened):
    run(opened, [shop / "c.csv"])
    (shop / "c.csv").rename(shop / "away.csv")
    report = run(opened)
    assert (report.offline, report.removed) == (5, 0)
    assert opened.prune() == 5


def test_a_catalogue_is_taken_out_by_its_path(shop, opened):
    run(opened, [shop / "c.csv"])
    assert opened.remove(shop / "c.csv") == 5
    assert run(opened).added == 0
    assert run(opened, [shop / "c.csv"]).added == 5


def test_vectors_of_products_are_verified_and_migrated_from_their_files(shop, opened):
    run(opened, [shop / "c.csv"])
    report = opened.verify(sample=10)
    assert (report.problems, report.sampled) == ((), 5)
    *_, migrated = opened.migrate(ToyEncoder("toy two"))
    assert (migrated.encoded, migrated.skipped) == (5, ())


def test_check_content_reads_the_pictures_of_rows_again(shop, opened, encoder):
    run(opened, [shop / "c.csv"])
    report = run(opened, check_content=True)
    assert (report.encoded, encoder.seen, len(items(opened))) == (0, 5, 5)


def archive(path, pictures):
    with tarfile.open(path, "w") as tar:
        for picture in pictures:
            for name, content in (
                (picture.name, picture.read_bytes()),
                (f"{picture.stem}.txt", picture.stem.encode()),
            ):
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))


def test_samples_of_archives_are_taken_verified_and_opened_by_their_address(shop, opened, encoder):
    pictures = sorted((shop / "img").iterdir())
    (shop / "data").mkdir()
    archive(shop / "data" / "00000.tar", pictures[:4])
    archive(shop / "data" / "00001.tar", pictures[4:])
    report = run(opened, [f"tars:{shop / 'data'}"])
    assert (report.added, report.encoded) == (6, 6)
    found = list(items(opened).values())
    assert {item.metadata["caption"] for item in found} == {picture.stem for picture in pictures}
    with open_uri(found[0].uri) as stream:
        assert stream.read() == (shop / "img" / found[0].uri.rpartition("!/")[2]).read_bytes()
    assert opened.verify(sample=10).sampled == 6
    archive(shop / "data" / "00001.tar", pictures[5:])
    report = run(opened)
    assert (report.removed, report.encoded, encoder.seen - 6) == (1, 0, 6)


def test_one_archive_is_taken_by_its_path_and_widened_to_its_folder(shop, opened):
    (shop / "data").mkdir()
    archive(shop / "data" / "00000.tar", sorted((shop / "img").iterdir()))
    run(opened, [shop / "data" / "00000.tar"])
    before = set(items(opened))
    report = run(opened, [f"tars:{shop / 'data'}"])
    assert (report.added, set(items(opened))) == (0, before)


def test_what_roots_are_called():
    assert root_address(b"s3://bucket/photos/") == b"s3://bucket/photos"
    assert root_address(b"/data/c.CSV") == b"catalogue:/data/c.CSV"
    assert root_address(b"/data/0.tar") == b"tars:/data/0.tar"
    assert root_address(b"/data/photos") == b"/data/photos"
    assert root_address(root_address(b"/data/c.csv")) == b"catalogue:/data/c.csv"


def test_a_folder_that_is_called_like_a_table_is_a_folder(shop, opened):
    shutil.move(shop / "img", shop / "photos.csv")
    assert run(opened, [shop / "photos.csv"]).added == 6
