"""What every sandbox keeps, whatever it is made of: one body over all registered drivers."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sandboxes import registry
from sandboxes.base import Process
from sandboxes.errors import SandboxFailed
from sandboxes.spec import MAX_LINE, Exit, Mount, Program
from tests.support.boxes import (
    House,
    all_lines,
    ask,
    gateway,
    opened_house,
    ran,
    shell,
    texts,
    until,
)
from tests.support.supervise import ECHO, encoded

KINDS = [
    pytest.param(name, marks=[pytest.mark.docker] if name == "docker" else [])
    for name in registry.names()
]


@pytest.fixture(params=KINDS)
async def house(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[House]:
    async with opened_house(request.param, tmp_path) as house:
        yield house


# Scripts before the agent


async def test_a_preparing_script_lays_the_tree_down_for_programs(house: House) -> None:
    sandbox = await house.open()
    await sandbox.prepare(f"echo content > {sandbox.places.tree}/file")
    assert (await ran(sandbox, f"cat {sandbox.places.tree}/file"))[0] == ["content"]


async def test_a_preparing_script_starts_in_the_tree(house: House) -> None:
    sandbox = await house.open()
    done = await sandbox.prepare("pwd")
    assert done.stdout.decode().strip() == sandbox.places.tree


async def test_a_preparing_script_gives_back_code_output_and_errors(house: House) -> None:
    sandbox = await house.open()
    done = await sandbox.prepare('echo "out $WORD"; echo err >&2; exit 7', env={"WORD": "x"})
    assert (done.code, done.stdout, done.stderr) == (7, b"out x\n", "err\n")


async def test_a_preparing_script_writes_the_scratch_when_asked(house: House) -> None:
    sandbox = await house.open()
    note = f"{sandbox.places.scratch}/note"
    done = await sandbox.prepare(f"echo seen > {note}", scratch=True)
    assert (done.code, (await sandbox.aside(f"cat {note}")).stdout) == (0, b"seen\n")


async def test_a_preparing_script_that_takes_too_long_is_killed(house: House) -> None:
    sandbox = await house.open()
    assert (await sandbox.prepare("echo begun; sleep 600", timeout=0.8)).code == 124


async def test_a_preparing_script_may_run_again(house: House) -> None:
    sandbox = await house.open()
    for _ in range(2):
        done = await sandbox.prepare("echo again >> notes; wc -l < notes")
    assert done.stdout.strip() == b"2"


# Programs


async def test_a_program_ends_with_its_exit_code_and_the_end_of_its_errors(house: House) -> None:
    sandbox = await house.open()
    _, ended = await ran(sandbox, "echo bad luck >&2; exit 5")
    assert ended == Exit(code=5, reason="exited", stderr="bad luck\n")


async def test_a_program_starts_in_the_tree(house: House) -> None:
    sandbox = await house.open()
    assert (await ran(sandbox, "pwd"))[0] == [sandbox.places.tree]


async def test_a_program_that_does_not_exist_ends_with_127(house: House) -> None:
    sandbox = await house.open()
    process = await sandbox.start(Program(name="turn-1", argv=("no-such-program",)))
    assert (await process.wait()).code == 127


async def test_a_program_runs_once_however_often_it_is_started(house: House) -> None:
    sandbox = await house.open()
    counting = f"echo ran >> {sandbox.places.state}/count; cat {sandbox.places.state}/count"
    await ran(sandbox, counting)
    assert (await ran(sandbox, counting))[0] == ["ran"]


async def test_starting_at_the_same_time_starts_once(house: House) -> None:
    sandbox = await house.open()
    counting = shell(f"echo ran >> {sandbox.places.state}/count; cat {sandbox.places.state}/count")
    for process in await asyncio.gather(*(sandbox.start(counting) for _ in range(4))):
        assert await texts(process) == ["ran"]


async def test_an_ended_program_is_not_started_again_by_another_supervisor(house: House) -> None:
    spec = house.spec()
    sandbox = await house.open(spec)
    counting = f"echo ran >> {sandbox.places.state}/count; cat {sandbox.places.state}/count"
    await ran(sandbox, counting)
    assert (await ran(await house.open(spec), counting))[0] == ["ran"]


async def test_lines_are_the_same_when_read_again_by_another_supervisor(house: House) -> None:
    spec = house.spec()
    first_driver = house.driver()
    first = await first_driver.open(spec)
    program = shell("for i in $(seq 500); do echo line $i; done; printf 'last, without an end'")
    lines = await all_lines(await first.start(program))
    await first_driver.close()
    again = await (await house.open(spec)).find("turn-1")
    assert again is not None
    assert await all_lines(again) == lines


async def test_positions_of_lines_grow(house: House) -> None:
    sandbox = await house.open()
    process = await sandbox.start(shell("seq 2000"))
    positions = [line.pos for line in await all_lines(process)]
    assert positions == sorted(set(positions))
    assert len(positions) == 2000


async def test_positions_are_above_zero(house: House) -> None:
    sandbox = await house.open()
    process = await sandbox.start(shell("echo"))
    assert (await all_lines(process))[0].pos > 0


async def test_a_line_without_an_end_is_a_line(house: House) -> None:
    sandbox = await house.open()
    assert (await ran(sandbox, "echo one; printf two"))[0] == ["one", "two"]


async def test_empty_lines_are_lines(house: House) -> None:
    sandbox = await house.open()
    assert (await ran(sandbox, "echo; echo; echo x"))[0] == ["", "", "x"]


async def test_a_long_line_comes_in_one_piece(house: House) -> None:
    sandbox = await house.open()
    written, _ = await ran(sandbox, "head -c 200000 /dev/zero | tr '\\0' a; echo; echo next")
    assert written == ["a" * 200_000, "next"]


async def test_an_endless_line_is_cut(house: House) -> None:
    sandbox = await house.open()
    written, _ = await ran(sandbox, "head -c 5000000 /dev/zero | tr '\\0' a; echo; echo next")
    assert [len(text) for text in written] == [MAX_LINE, len("next")]


async def test_bytes_that_are_no_text_do_not_break_a_line(house: House) -> None:
    sandbox = await house.open()
    assert (await ran(sandbox, "printf 'a\\377b\\n'"))[0] == ["a\ufffdb"]


async def test_errors_are_not_among_the_lines(house: House) -> None:
    sandbox = await house.open()
    assert (await ran(sandbox, "echo err >&2; echo out"))[0] == ["out"]


async def test_only_the_end_of_long_errors_is_kept(house: House) -> None:
    sandbox = await house.open()
    _, ended = await ran(sandbox, "seq 100000 >&2; echo the end >&2")
    assert (ended.stderr[-8:], len(ended.stderr) <= 8192) == ("the end\n", True)


async def test_a_line_sent_reaches_the_program(house: House) -> None:
    sandbox = await house.open()
    process = await sandbox.start(ECHO)
    await process.send("hello")
    await until(process, "heard hello")


async def test_lines_sent_arrive_whole_and_in_order(house: House) -> None:
    sandbox = await house.open()
    process = await sandbox.start(shell("head -n 3 | wc -c; echo done", interactive=True))
    for _ in range(3):
        await process.send("x" * 100_000)
    assert await texts(process) == ["300003", "done"]


async def test_sending_to_an_ended_program_does_nothing(house: House) -> None:
    sandbox = await house.open()
    process = await sandbox.start(shell("read -r said", interactive=True))
    await process.send("the end")
    await process.wait()
    await process.send("too late")


async def test_a_program_that_is_not_interactive_reads_nothing(house: House) -> None:
    sandbox = await house.open()
    assert (await ran(sandbox, "cat; echo end"))[0] == ["end"]


async def test_a_program_outlives_its_killed_supervisor_and_goes_on_hearing(house: House) -> None:
    spec = house.spec()
    await house.open(spec)
    supervisor = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "tests.support.supervise"],
        *[house.kind, str(house.root / "drivers"), encoded(spec)],
        stdout=asyncio.subprocess.PIPE,
    )
    assert supervisor.stdout is not None
    while await supervisor.stdout.readline() != b"heard one\n":
        assert supervisor.returncode is None
    supervisor.send_signal(signal.SIGKILL)
    await supervisor.wait()
    process = await (await house.open(spec)).start(ECHO)
    await process.send("two")
    await until(process, "heard two")
    await process.stop(grace=1)
    assert await texts(process) == ["started", "heard one", "heard two"]


async def test_a_program_sees_its_files_where_they_were_promised(house: House) -> None:
    sandbox = await house.open()
    path = f"{sandbox.places.launch}/turn-1/deep/settings.json"
    program = Program(
        name="turn-1", argv=("cat", path), files={"deep/settings.json": b"{}\n", "other": b""}
    )
    assert await texts(await sandbox.start(program)) == ["{}"]


async def test_a_file_may_not_leave_the_launch_directory(house: House) -> None:
    sandbox = await house.open()
    program = Program(name="turn-1", argv=("true",), files={"../../escaped": b""})
    with pytest.raises(SandboxFailed, match="cannot name a file"):
        await sandbox.start(program)


async def test_a_program_gets_its_own_environment(house: House) -> None:
    sandbox = await house.open()
    program = Program(
        name="turn-1", argv=("sh", "-c", 'echo "$KEY"'), env={"KEY": "two words\nand a line"}
    )
    assert await texts(await sandbox.start(program)) == ["two words", "and a line"]


async def test_a_program_sees_no_secret_of_the_supervisor(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-real")
    sandbox = await house.open()
    written, _ = await ran(sandbox, "env; cat /proc/$PPID/environ")
    assert "sk-real" not in "\n".join(written)


async def test_a_program_has_a_home_it_can_write(house: House) -> None:
    sandbox = await house.open()
    assert (await ran(sandbox, "echo ok > ~/file; cat ~/file"))[0] == ["ok"]


async def test_state_outlives_a_program(house: House) -> None:
    sandbox = await house.open()
    await ran(sandbox, f"echo remembered > {sandbox.places.state}/memory")
    assert (await ran(sandbox, f"cat {sandbox.places.state}/memory", name="turn-2"))[0] == [
        "remembered"
    ]


async def test_stopping_asks_first(house: House) -> None:
    sandbox = await house.open()
    process = await sandbox.start(
        shell("trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.05; done")
    )
    await until(process, "up")
    await process.stop()
    assert (await process.wait()).code == 3


async def test_stopping_kills_what_does_not_listen(house: House) -> None:
    sandbox = await house.open()
    process = await sandbox.start(shell("trap '' TERM; echo up; while :; do sleep 0.05; done"))
    await until(process, "up")
    await process.stop(grace=1)
    ended = await process.wait()
    assert (ended.code, ended.reason) == (137, "killed")


async def test_stopping_what_has_ended_does_nothing(house: House) -> None:
    sandbox = await house.open()
    process = await sandbox.start(shell("exit 4"))
    await process.wait()
    await process.stop()
    assert (await process.wait()).code == 4


async def test_what_a_program_leaves_running_ends_with_it(house: House) -> None:
    sandbox = await house.open()
    alive = f"{sandbox.places.tree}/alive"
    await ran(sandbox, f"(while :; do echo x >> {alive}; sleep 0.05; done) >/dev/null 2>&1 &")
    seen = f"wc -c < {alive} || echo 0"
    first, _ = await ran(sandbox, f"{seen}; sleep 0.5", name="look-1")
    assert (await ran(sandbox, seen, name="look-2"))[0] == first


async def test_a_program_never_started_is_not_found(house: House) -> None:
    sandbox = await house.open()
    assert await sandbox.find("turn-9") is None


async def test_following_stops_when_the_follower_goes(house: House) -> None:
    sandbox = await house.open()
    process = await sandbox.start(ECHO)
    following = asyncio.ensure_future(all_lines(process))
    await until(process, "started")
    following.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await following
    await process.send("still there")
    await until(process, "heard still there")


async def test_a_name_that_could_be_a_path_is_refused(house: House) -> None:
    with pytest.raises(SandboxFailed, match="cannot name a sandbox"):
        await house.driver().open(house.spec(name="../elsewhere"))


async def test_a_program_may_not_take_the_place_of_the_side(house: House) -> None:
    sandbox = await house.open()
    with pytest.raises(SandboxFailed, match="part of the sandbox"):
        await sandbox.start(shell("true", name="side"))


# Scripts beside the box


async def test_a_script_aside_sees_the_tree_as_it_is_now(house: House) -> None:
    sandbox = await house.open()
    process = await sandbox.start(
        shell("echo draft > file; echo written; read -r x", interactive=True)
    )
    await until(process, "written")
    assert (await sandbox.aside(f"cat {sandbox.places.tree}/file")).stdout == b"draft\n"


async def test_a_script_aside_keeps_things_in_scratch(house: House) -> None:
    sandbox = await house.open()
    await sandbox.aside(f"echo kept > {sandbox.places.scratch}/note")
    assert (await sandbox.aside("cat note")).stdout == b"kept\n"


async def test_a_script_aside_gets_input_and_gives_output_byte_by_byte(house: House) -> None:
    sandbox = await house.open()
    sent = bytes(range(256)) * 20_000
    done = await sandbox.aside("cat; echo err >&2; exit 3", stdin=sent)
    assert (done.code, done.stdout == sent, done.stderr) == (3, True, "err\n")


async def test_output_aside_beyond_the_limit_is_thrown_away(house: House) -> None:
    sandbox = await house.open()
    done = await sandbox.aside("head -c 3000000 /dev/zero; exit 2", limit=1000)
    assert (done.code, len(done.stdout), done.truncated) == (2, 1000, True)


async def test_a_script_aside_that_takes_too_long_is_killed(house: House) -> None:
    sandbox = await house.open()
    done = await sandbox.aside("echo begun; sleep 600 & sleep 600", timeout=0.8)
    assert (done.code, done.stdout) == (124, b"begun\n")


async def test_scripts_aside_wait_for_each_other(house: House) -> None:
    sandbox = await house.open()
    script = "echo in >> order; sleep 0.3; echo out >> order"
    await asyncio.gather(*(sandbox.aside(script) for _ in range(2)))
    assert (await sandbox.aside("cat order")).stdout == b"in\nout\nin\nout\n"


async def test_a_script_aside_gets_its_own_environment(house: House) -> None:
    sandbox = await house.open()
    assert (await sandbox.aside('echo "$WORD"', env={"WORD": "x y"})).stdout == b"x y\n"


async def test_a_mount_is_where_the_places_say(house: House, tmp_path: Path) -> None:
    shown = tmp_path / "shown"
    shown.mkdir()
    (shown / "file").write_text("from the host\n")
    sandbox = await house.open(house.spec(mounts=(Mount(shown, "/swarm/objects"),)))
    script = f"cat {sandbox.places.mounts['/swarm/objects']}/file"
    seen = [
        (await ran(sandbox, script))[0],
        (await sandbox.aside(script)).stdout.decode().splitlines(),
        (await sandbox.prepare(script)).stdout.decode().splitlines(),
    ]
    assert seen == [["from the host"]] * 3


# Halting and measuring

TICK = "while :; do echo tick; sleep 0.02; done"


async def ticks(process: Process) -> int:
    """How many lines there are now."""
    seen = 0
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.5):
            async for _ in process.lines():
                seen += 1
    return seen


async def test_a_halted_program_does_nothing_until_it_goes_on(house: House) -> None:
    sandbox = await house.open()
    process = await sandbox.start(shell(TICK))
    await until(process, "tick")
    await sandbox.pause()
    # What it wrote before may take a while to come through.
    while (halted := await ticks(process)) != await ticks(process):
        pass
    await sandbox.go_on()
    while await ticks(process) == halted:
        pass


async def test_halting_and_going_on_may_be_said_twice(house: House) -> None:
    sandbox = await house.open()
    await sandbox.go_on()
    process = await sandbox.start(shell("read -r said; echo $said", interactive=True))
    for again in (sandbox.pause, sandbox.pause, sandbox.go_on, sandbox.go_on):
        await again()
    await process.send("well")
    assert await texts(process) == ["well"]


async def test_a_halted_program_can_be_ended(house: House) -> None:
    spec = house.spec()
    sandbox = await house.open(spec)
    process = await sandbox.start(shell(TICK))
    await sandbox.pause()
    await process.stop(grace=0)
    assert (await process.wait()).reason == "killed"


async def test_a_halted_sandbox_can_be_removed(house: House) -> None:
    sandbox = await house.open()
    await sandbox.start(shell(TICK))
    await sandbox.pause()
    await sandbox.remove()
    assert list(await house.driver().names(house.owner)) == []


async def test_what_is_written_counts_wherever_it_lies(house: House) -> None:
    sandbox = await house.open()
    before = (await sandbox.usage()).used
    for name, place in (("one", sandbox.places.tree), ("two", sandbox.places.state)):
        await ran(sandbox, f"head -c 8000000 /dev/zero > {place}/big", name=name)
    after = (await sandbox.usage()).used
    assert before is not None
    assert after is not None
    assert 16_000_000 <= after - before < 20_000_000


async def test_free_space_is_that_of_a_disk(house: House) -> None:
    usage = await (await house.open()).usage()
    assert (usage.free > 0, 0 < usage.inodes <= 1) == (True, True)


async def test_a_survey_tells_of_this_host(house: House) -> None:
    assert [
        fact.name for fact in await house.driver().survey() if fact.needed and not fact.ok
    ] == []


# The way out


async def test_a_program_reaches_the_gateway(house: House) -> None:
    async with gateway() as answering:
        sandbox = await house.open(house.spec(sockets=answering.directory))
        assert (await ran(sandbox, ask(sandbox.places.gateway)))[0] == ["hello"]


async def test_a_program_reaches_the_gateway_of_a_restarted_supervisor(house: House) -> None:
    async with gateway() as answering:
        spec = house.spec(sockets=answering.directory)
        sandbox = await house.open(spec)
        await answering.down()
        await answering.up(b"again")
        again = await house.open(spec)
        assert again.places == sandbox.places
        assert (await ran(again, ask(sandbox.places.gateway)))[0] == ["again"]


async def test_a_request_waits_for_a_gateway_that_is_coming_back(house: House) -> None:
    async with gateway() as answering:
        sandbox = await house.open(house.spec(sockets=answering.directory))
        await answering.down()
        (answering.directory / "gateway.sock").unlink()
        process = await sandbox.start(shell(f"echo asking; {ask(sandbox.places.gateway)}"))
        await until(process, "asking")
        await asyncio.sleep(0.5)
        await answering.up(b"later")
        assert await texts(process) == ["asking", "later"]


async def test_without_sockets_there_is_no_gateway(house: House) -> None:
    sandbox = await house.open()
    assert sandbox.places.gateway == ""


# The end


async def test_removing_leaves_nothing(house: House) -> None:
    async with gateway() as answering:
        sandbox = await house.open(house.spec(sockets=answering.directory))
        await sandbox.prepare("mkdir deep; echo x > deep/file; chmod 0 deep")
        process = await sandbox.start(ECHO)
        await until(process, "started")
        await sandbox.remove()
        assert list(await house.driver().names(house.owner)) == []


async def test_removing_again_does_nothing(house: House) -> None:
    sandbox = await house.open()
    await sandbox.remove()
    await sandbox.remove()


async def test_a_sandbox_may_be_removed_by_its_name_alone(house: House) -> None:
    spec = house.spec()
    await (await house.open(spec)).start(ECHO)
    sweeping = house.driver()
    await sweeping.remove(spec.name, house.owner)
    assert list(await sweeping.names(house.owner)) == []


async def test_removing_by_name_leaves_other_owners_alone(house: House) -> None:
    spec = house.spec()
    await house.open(spec)
    sweeping = house.driver()
    await sweeping.remove(spec.name, "another")
    assert list(await sweeping.names(house.owner)) == [spec.name]


async def test_a_rested_sandbox_runs_nothing(house: House) -> None:
    spec = house.spec()
    process = await (await house.open(spec)).start(ECHO)
    await until(process, "started")
    await house.driver().rest(spec.name, house.owner)
    assert (await process.wait()).code != 0


async def test_a_rested_sandbox_goes_on_with_its_tree_and_state(house: House) -> None:
    async with gateway() as answering:
        spec = house.spec(sockets=answering.directory)
        sandbox = await house.open(spec)
        write = f"echo tree > file; echo state > {sandbox.places.state}/file"
        await ran(sandbox, write)
        await house.driver().rest(spec.name, house.owner)
        again = await house.open(spec)
        look = f"cat file {again.places.state}/file; {ask(again.places.gateway)}"
        assert (await ran(again, look, name="turn-2"))[0] == ["tree", "state", "hello"]


async def test_resting_what_was_never_made_does_nothing(house: House) -> None:
    await house.driver().rest("never-made", house.owner)


async def test_a_removed_sandbox_may_be_made_anew(house: House) -> None:
    spec = house.spec()
    sandbox = await house.open(spec)
    await ran(sandbox, "echo old > file")
    await sandbox.remove()
    assert (await ran(await house.open(spec), "cat file || echo new"))[0] == ["new"]


async def test_what_is_left_is_told_with_its_sandbox(house: House) -> None:
    spec = house.spec()
    process = await (await house.open(spec)).start(ECHO)
    await until(process, "started")
    left = await house.driver().holdings(house.owner)
    assert {one.sandbox for one in left} == {spec.name}
    assert any(one.running for one in left)
    assert list(await house.driver().holdings("another")) == []


async def test_names_are_those_of_one_owner(house: House) -> None:
    spec = house.spec()
    await house.open(spec)
    seen = house.driver()
    assert (list(await seen.names(house.owner)), list(await seen.names("somebody"))) == (
        [spec.name],
        [],
    )
