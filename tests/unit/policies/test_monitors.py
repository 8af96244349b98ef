"""Six patterns of trouble, each found once; and honest work that looks a little like them, which is left alone."""

from collections.abc import Callable, Iterable

import pytest

from policies.monitors import MONITORS, Alarm, Thresholds, Watch, describe
from policies.sights import Acted, Changed, Failed, GoesOn, Paid, Returned, Seen, Spoke, Waits


class Story:
    """What is seen of a run, a second apart."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.now = 1_800_000_000.0

    def use(self, action: str, output: str, *, failed: bool = False, takes: float = 1.0) -> None:
        call = str(len(self.seen))
        self.seen.append(Acted(self._at(), call, action))
        self.now += takes
        self.seen.append(Returned(self._at(), call, output, failed))

    def say(self, text: str) -> None:
        self.seen.append(Spoke(self._at(), text, str(len(self.seen))))

    def change(self, tree: str) -> None:
        self.seen.append(Changed(self._at(), tree))

    def pay(self, micros: int) -> None:
        self.seen.append(Paid(self._at(), micros))

    def fail(self) -> None:
        self.seen.append(Failed(self._at()))

    def rest(self, seconds: float) -> None:
        self.seen.append(Waits(self._at()))
        self.now += seconds
        self.seen.append(GoesOn(self._at()))

    def _at(self) -> float:
        self.now += 1.0
        return self.now


def alarms(seen: Iterable[Seen], thresholds: Thresholds | None = None) -> list[Alarm]:
    """All of them, with somebody asking at every moment at which a stall would be due."""
    watch = Watch(thresholds)
    found: list[Alarm] = []
    for each in seen:
        due = watch.due()
        if due is not None and due < each.at and (stalled := watch.stalled(due)):
            found.append(stalled)
        found += watch.see(each)
    return found


def stall() -> Story:
    story = Story()
    story.use("Bash: ls", "README.md")
    story.now += 301
    story.say("There you are.")
    return story


def loop() -> Story:
    story = Story()
    for _ in range(6):
        story.use("Read: config.py", "DEBUG = True")
    return story


def thrash() -> Story:
    story = Story()
    for _ in range(3):
        for tree in ("a" * 40, "b" * 40):
            story.use(f"Edit: app.py {tree[0]}", "ok")
            story.change(tree)
    return story


def spend_without_change() -> Story:
    story = Story()
    for number in range(30):
        story.use(f"Read: file{number}.py", str(number))
        story.pay(20_000)
    return story


def cost_spike() -> Story:
    story = Story()
    for number in range(8):
        story.change(str(number))
        story.pay(15_000 + number)
    story.pay(150_000)
    return story


def retry_storm() -> Story:
    story = Story()
    for _ in range(15):
        story.fail()
    return story


TROUBLE = {
    "stall": stall,
    "loop": loop,
    "thrash": thrash,
    "spend_without_change": spend_without_change,
    "cost_spike": cost_spike,
    "retry_storm": retry_storm,
}


HONEST: list[Callable[[], Story]] = []


def honest(told: Callable[[], Story]) -> Callable[[], Story]:
    HONEST.append(told)
    return told


@honest
def spends_much_in_the_moment_before_its_change_is_seen() -> Story:
    story = Story()
    story.use("Edit: GUIDE.md", "ok")
    for _ in range(11):
        story.pay(60_000)
    story.now += 2
    story.change("a" * 40)
    story.pay(60_000)
    return story


@honest
def asks_every_half_minute_whether_a_build_is_done() -> Story:
    story = Story()
    for _ in range(12):
        story.use("Bash: sleep 30; gh run view 17", "in_progress", takes=30.0)
    return story


@honest
def runs_the_same_failing_test_after_each_of_eight_attempts() -> Story:
    story = Story()
    for number in range(8):
        story.use("Bash: pytest -q", "1 failed", failed=True)
        story.use(f"Edit: app.py {number}", "ok")
        story.change(str(number))
    return story


@honest
def builds_for_twenty_five_minutes_without_a_word() -> Story:
    story = Story()
    story.use("Bash: make all", "built", takes=1500.0)
    return story


@honest
def waits_for_a_person_over_night() -> Story:
    story = Story()
    story.use("Bash: ls", "README.md")
    story.rest(60_000.0)
    story.use("Bash: ls", "README.md")
    return story


@honest
def waits_over_night_and_an_earlier_call_is_paid_for_late() -> Story:
    story = Story()
    story.seen.append(Waits(story.now))
    story.pay(1_000)
    story.now += 60_000.0
    story.seen.append(GoesOn(story.now))
    return story


@honest
def reads_forty_files_before_it_writes_the_first() -> Story:
    story = Story()
    for number in range(40):
        story.use(f"Read: module{number}.py", f"text {number}")
        story.pay(10_000)
    return story


@honest
def takes_an_attempt_back_once() -> Story:
    story = Story()
    for tree in ("a", "b", "a", "c"):
        story.use(f"Edit: app.py {tree}", "ok")
        story.change(tree)
    return story


@honest
def has_a_conversation_that_grows_and_costs_a_little_more_each_time() -> Story:
    story = Story()
    for number in range(30):
        story.change(str(number))
        story.pay(10_000 + 3_000 * number)
    return story


@honest
def is_refused_by_a_busy_model_api_now_and_then() -> Story:
    story = Story()
    for _ in range(8):
        story.fail()
        story.now += 20.0
    return story


@honest
def says_done_more_than_once() -> Story:
    story = Story()
    for number in range(6):
        story.say("Done." if number % 2 else f"Step {number}.")
    return story


@honest
def looks_at_what_changes_by_itself() -> Story:
    story = Story()
    for number in range(10):
        story.use("Bash: docker stats --no-stream", f"cpu {number} %")
    return story


@honest
def reads_two_files_in_turn_twice() -> Story:
    story = Story()
    for action in ("Read: a.py", "Read: b.py") * 2:
        story.use(action, action)
    return story


@pytest.mark.parametrize("monitor", MONITORS)
def test_trouble_is_found_once(monitor: str) -> None:
    assert [alarm.monitor for alarm in alarms(TROUBLE[monitor]().seen)] == [monitor]


@pytest.mark.parametrize("told", HONEST, ids=lambda told: told.__name__)
def test_honest_work_is_left_alone(told: Callable[[], Story]) -> None:
    assert alarms(told().seen) == []


def test_three_failures_alike_are_a_loop() -> None:
    story = Story()
    for _ in range(3):
        story.use("Bash: npm ci", "ENOTFOUND", failed=True)
    assert [alarm.words for alarm in alarms(story.seen)] == [
        "'Bash: npm ci' failed in the same way 3 times in a row"
    ]


def test_two_actions_in_turn_are_a_loop() -> None:
    story = Story()
    for action in ("Read: a.py", "Read: b.py") * 3:
        story.use(action, action)
    (alarm,) = alarms(story.seen)
    assert alarm.words == "'Read: a.py' and 'Read: b.py' in turn, 3 times with the same results"


def test_the_same_words_thrice_without_a_deed_are_a_loop() -> None:
    story = Story()
    for _ in range(3):
        story.say("I will now fix it.")
    (alarm,) = alarms(story.seen)
    assert alarm.words == "it said 'I will now fix it.' 3 times and did nothing"


def test_pieces_of_one_message_are_one_message() -> None:
    story = Story()
    for _ in range(9):
        story.seen.append(Spoke(story.now, "ha", "m1"))
    assert alarms(story.seen) == []


def test_even_a_poll_ends_up_as_a_loop() -> None:
    story = Story()
    for _ in range(25):
        story.use("Bash: sleep 1; cat done", "no")
    assert [alarm.monitor for alarm in alarms(story.seen)] == ["loop"]


def test_a_loop_that_begins_anew_is_told_again() -> None:
    story = loop()
    for name in "abcde":
        story.use(f"Read: {name}", name)
    story.seen += loop().seen
    assert [alarm.monitor for alarm in alarms(story.seen)] == ["loop", "loop"]


def test_a_silent_tool_has_more_time_and_is_named() -> None:
    story = Story()
    story.use("Bash: make all", "built", takes=2000.0)
    (alarm,) = alarms(story.seen)
    assert alarm.words == "nothing was heard of it for 30 minutes while 'Bash: make all' runs"


def test_nothing_is_due_while_a_person_is_waited_for() -> None:
    watch = Watch()
    watch.see(Waits(0.0))
    assert watch.due() is None


def test_thresholds_are_what_one_says() -> None:
    story = Story()
    for _ in range(2):
        story.use("Read: a.py", "x")
    assert [alarm.monitor for alarm in alarms(story.seen, Thresholds(repeats=2))] == ["loop"]


@pytest.mark.parametrize("monitor", MONITORS)
def test_each_says_what_it_watches_for(monitor: str) -> None:
    assert describe(monitor).strip()  # type: ignore[arg-type]
