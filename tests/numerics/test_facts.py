import pytest

from numerics.facts import FactsError, read_facts
from numerics.world import World

CITIES = 'name,city,born\r\nAnna,Rome,10\r\n"Bob, Jr.",Oslo,9\r\nCleo,Rome,9\r\n\r\n \r\n'


def _file(tmp_path, content):
    path = tmp_path / "facts.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_names_values_and_order(tmp_path, mark):
    world = World.from_csv(_file(tmp_path, mark + CITIES.encode()), n_grammar=0)
    assert world.subject_names == ("Anna", "Bob, Jr.", "Cleo")
    assert world.type_names == ("city", "born")
    # Values are ordered as strings: '10' < '9'.
    assert world.value_names == (("Oslo", "Rome"), ("10", "9"))
    assert world.finetune == (0,)
    names = [world.token_name(v) for v in range(world.V)]
    assert names[:7] == ["Anna", "Bob, Jr.", "Cleo", "city=Oslo", "city=Rome", "born=10", "born=9"]
    assert names[7:] == ["r[city]", "r[born]", "[sep]"]
    assert world.attribute_token.tolist() == [[4, 5], [3, 6], [4, 6]]


def test_space_before_a_quoted_cell(tmp_path):
    world = World.from_csv(_file(tmp_path, 's,t\na, "12"\nb,12\nc,  "1, 3"\nd,"1, 3"\n'))
    assert world.value_names == (("1, 3", "12"),) and world.table[:, 0].tolist() == [1, 1, 0, 0]


def test_finetuning_subjects(tmp_path):
    path = _file(tmp_path, "s,t\n" + "".join(f"x{i},{i % 3}\n" for i in range(10)))
    assert World.from_csv(path).finetune == (0, 1, 2, 3, 4)
    assert World.from_csv(path, M_ft=2).finetune == (0, 1)
    assert World.from_csv(path, finetune=[7, 1]).finetune == (7, 1)
    drawn = World.from_csv(path, M_ft=5, seed=3).finetune
    assert drawn == World.from_csv(path, M_ft=5, seed=3).finetune != (0, 1, 2, 3, 4)
    assert len(set(drawn)) == 5
    assert World.from_csv(_file(tmp_path, "s,t\na,b\n")).finetune == (0,)
    with pytest.raises(ValueError, match="without M_ft and seed"):
        World.from_csv(path, M_ft=2, finetune=[0])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "empty file"),
        ("\n\n", "empty file"),
        ("s,t\n", "a header but no rows"),
        ("s\na\n", "row 1: 1 column"),
        ("s,t\na,b\nc\n", "row 3: 1 cell.*valid: 2"),
        ("s,t\na,b\nc,d,e\n", "row 3: 3 cell"),
        ("s,t\na,b\n\nc,d\n", "row 3: is empty"),
        ("s,t\na,\n", "row 2: the cell of 't' is empty"),
        ("s,t\n ,b\n", "row 2: the cell of 's' is empty"),
        ("s,t\na,b\nc,b\na,c\n", "row 4: subject 'a' is already in row 2"),
        ("s,t,t\na,b,c\n", "row 1: the name 't' occurs twice"),
        ("s,,t\na,b,c\n", "row 1: column 2 has no name"),
        (b"s,t\na,\xff\xfe\n", "not UTF-8 text"),
        (b"s,t\na,b\x00\n", "row 2: a zero byte"),
        ('s,t\na,"b\n', "not CSV"),
    ],
)
def test_unusable_files(tmp_path, content, message):
    path = _file(tmp_path, content)
    with pytest.raises(FactsError, match=message) as error:
        read_facts(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_missing_file_folder_and_size(tmp_path):
    with pytest.raises(FactsError, match="no such file"):
        read_facts(tmp_path / "none.csv")
    with pytest.raises(FactsError, match="not a file"):
        read_facts(tmp_path)
    path = _file(tmp_path, CITIES)
    for M_ft in (0, 4):
        with pytest.raises(FactsError, match=r"M_ft must be an integer in 1\.\.3"):
            World.from_csv(path, M_ft=M_ft)
    with pytest.raises(FactsError, match="cannot be read"):
        read_facts(tmp_path / ("x" * 400))
