"""Whatever a task does, the server gets one clean answer, and no process and no file is left."""
# ruff: noqa: ASYNC110, ASYNC220 (they wait for other processes and their files; the loop has nothing else)

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from aiops.providers.base import ProviderRejectedError, ProviderUnavailableError
from aiops.providers.embedded import sandbox as sandbox_module
from aiops.providers.embedded.sandbox import Limits, Outcome, Sandbox
from tests.fixtures.namespaces import AS_FIRST, is_first_allowed

HERE = Path(__file__).parent
MEGABYTE = 1024 * 1024
LIMITS = Limits(memory_bytes=256 * MEGABYTE, file_bytes=MEGABYTE)
AS_IN_A_CONTAINER = "as the first process"
HOW = AS_IN_A_CONTAINER if is_first_allowed() else "NOT RUN: this machine allows no namespaces of processes"

Gone = Callable[[int], Awaitable[None]]


def isolated(concurrency: int = 2) -> Sandbox:
    return Sandbox(concurrency, import_roots=[HERE])


async def run(task: str, arguments: dict[str, Any] | None = None, deadline_seconds: float = 60.0) -> Outcome:
    return await isolated().run(
        f"embedded_tasks:{task}", arguments or {}, limits=LIMITS, deadline_seconds=deadline_seconds
    )


async def reported(report: Path) -> tuple[list[int], Path]:
    """Who runs where, as soon as the task has told."""
    async with asyncio.timeout(30):
        while not report.exists():
            await asyncio.sleep(0.02)
    worker, other, folder = report.read_text().split()
    return [int(worker), int(other)], Path(folder)


class TestAnswers:
    async def test_result_output_and_progress_arrive(self) -> None:
        heard: list[float] = []
        outcome = await isolated().run(
            "embedded_tasks:greet", {"name": "Zoë"}, limits=LIMITS, deadline_seconds=60, progress=heard.append
        )
        assert outcome.output == "hello Zoë".encode()
        assert heard == [0.5]

    async def test_nothing_is_left_after_success(self, gone: Gone) -> None:
        outcome = await run("greet", {"name": "you"})
        await gone(outcome.values["pid"])
        assert not Path(outcome.values["folder"]).exists()

    async def test_what_a_library_prints_is_not_taken_for_the_answer(self) -> None:
        assert (await run("chatter")).values == {"said": "by the task"}

    async def test_a_rejection_keeps_its_sentence(self) -> None:
        with pytest.raises(ProviderRejectedError, match=r"^Send something else\.$"):
            await run("reject")


class TestFailures:
    @pytest.mark.parametrize("task", ["raise_error", "crash", "leave", "fill_disk", "no_such_task"])
    async def test_a_task_that_breaks_is_unavailable_without_details(self, task: str) -> None:
        with pytest.raises(ProviderUnavailableError) as caught:
            await run(task)
        assert caught.value.reason == "The embedded engine stopped unexpectedly."

    async def test_the_log_has_the_details(self, caplog: pytest.LogCaptureFixture) -> None:
        with pytest.raises(ProviderUnavailableError):
            await run("raise_error")
        assert "a secret of the inside" in caplog.text

    async def test_too_much_memory_is_unavailable(self) -> None:
        with pytest.raises(ProviderUnavailableError, match="more memory than it may use"):
            await run("eat_memory")

    @pytest.mark.parametrize("line", ["", "[]", "{}", "no json", '{"progress": 7.0}', '{"progress": NaN}', "\xff"])
    async def test_nonsense_is_unavailable(self, line: str) -> None:
        with pytest.raises(ProviderUnavailableError, match="makes no sense"):
            await run("answer_nonsense", {"line": line})

    @pytest.mark.parametrize("task", ["answer_at_length", "report_without_end"])
    async def test_an_answer_without_bounds_is_unavailable(self, task: str) -> None:
        with pytest.raises(ProviderUnavailableError, match="makes no sense"):
            await run(task)

    async def test_an_interpreter_that_does_not_start_is_unavailable(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "executable", "/nowhere/python")
        with pytest.raises(ProviderUnavailableError, match="could not be started"):
            await run("greet", {"name": "you"})


class TestLimits:
    async def test_secrets_stay_in_the_server(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("AIOPS_SECRET_KEY", "FAL_KEY", "HF_TOKEN", "OPENAI_API_KEY"):
            monkeypatch.setenv(name, "hunter2")
        seen = (await run("environment")).values
        assert "hunter2" not in seen.values()
        assert not [name for name in seen if name.startswith("AIOPS_")]

    async def test_limits_hold_in_the_child(self) -> None:
        limits = (await run("limits", deadline_seconds=60)).values
        assert limits["RLIMIT_AS"] == [LIMITS.memory_bytes] * 2
        assert limits["RLIMIT_FSIZE"] == [LIMITS.file_bytes] * 2
        assert limits["RLIMIT_CPU"] == [61, 61]
        assert limits["RLIMIT_CORE"] == [0, 0]

    async def test_no_more_than_allowed_run_at_once(self) -> None:
        sandbox = isolated(concurrency=2)
        runs = [sandbox.run("embedded_tasks:take_time", {}, limits=LIMITS, deadline_seconds=60) for _number in range(6)]
        spans = [outcome.values for outcome in await asyncio.gather(*runs)]
        at_once = [sum(other["begun"] <= span["begun"] < other["ended"] for other in spans) for span in spans]
        assert max(at_once) == 2

    async def test_waiting_for_a_slot_counts_as_time(self, tmp_path: Path) -> None:
        sandbox = isolated(concurrency=1)
        report = tmp_path / "report"
        first = asyncio.create_task(
            sandbox.run("embedded_tasks:hang", {"report": str(report)}, limits=LIMITS, deadline_seconds=100)
        )
        await reported(report)
        with pytest.raises(ProviderUnavailableError, match="took too long"):
            await sandbox.run("embedded_tasks:greet", {"name": "you"}, limits=LIMITS, deadline_seconds=0.3)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        outcome = await sandbox.run("embedded_tasks:greet", {"name": "you"}, limits=LIMITS, deadline_seconds=60)
        assert outcome.output == b"hello you"


class TestEnd:
    async def test_deadline_leaves_no_process_and_no_file(self, tmp_path: Path, gone: Gone) -> None:
        report = tmp_path / "report"
        with pytest.raises(ProviderUnavailableError, match="took too long"):
            await run("hang", {"report": str(report)}, deadline_seconds=5)
        pids, folder = await reported(report)
        for pid in pids:
            await gone(pid)
        assert not folder.exists()

    async def test_cancellation_leaves_no_process_and_no_file(self, tmp_path: Path, gone: Gone) -> None:
        report = tmp_path / "report"
        job = asyncio.create_task(run("hang", {"report": str(report)}))
        pids, folder = await reported(report)
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job
        for pid in pids:
            await gone(pid)
        assert not folder.exists()

    async def test_a_killed_server_leaves_no_process_and_no_file(self, tmp_path: Path, gone: Gone) -> None:
        """The task holds the interpreter lock meanwhile, as pocketsphinx does for seconds."""
        report = tmp_path / "report"
        server = textwrap.dedent(
            f"""
            import asyncio
            from pathlib import Path
            from aiops.providers.embedded.sandbox import Limits, Sandbox
            sandbox = Sandbox(1, import_roots=[Path({str(HERE)!r})])
            limits = Limits(memory_bytes={LIMITS.memory_bytes}, file_bytes={LIMITS.file_bytes})
            run = sandbox.run("embedded_tasks:hang", {{"report": {str(report)!r}}}, limits=limits, deadline_seconds=900)
            asyncio.run(run)
            """
        )
        root = str(Path(sandbox_module.__file__).parents[3])
        process = subprocess.Popen([sys.executable, "-c", server], env={"PYTHONPATH": root, "TMPDIR": str(tmp_path)})
        try:
            pids, folder = await reported(report)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        for pid in pids:
            await gone(pid)
        async with asyncio.timeout(20):
            while folder.exists():
                await asyncio.sleep(0.02)

    @pytest.mark.parametrize("how", [HOW])
    def test_the_first_process_of_a_container_is_left_no_zombie(self, how: str, tmp_path: Path) -> None:
        """Whatever the end: an answer, a crash, a deadline with a process of the task's own still at work."""
        if how != AS_IN_A_CONTAINER:
            return
        server = textwrap.dedent(
            f"""
            import asyncio, contextlib, os
            from pathlib import Path
            from aiops.providers.base import ProviderUnavailableError
            from aiops.providers.embedded.sandbox import Limits, Sandbox

            async def work():
                sandbox = Sandbox(1, import_roots=[Path({str(HERE)!r})])
                limits = Limits(memory_bytes={LIMITS.memory_bytes}, file_bytes={LIMITS.file_bytes})
                for task in ("greet", "crash", "hang"):
                    with contextlib.suppress(ProviderUnavailableError):
                        arguments = {{"name": "you", "report": {str(tmp_path / "report")!r}}}
                        await sandbox.run(f"embedded_tasks:{{task}}", arguments, limits=limits, deadline_seconds=5)

            asyncio.run(work())
            print([int(name) for name in os.listdir("/proc") if name.isdecimal()])
            """
        )
        environment = {"PYTHONPATH": str(Path(sandbox_module.__file__).parents[3]), "PATH": os.environ["PATH"]}
        command = [*AS_FIRST, sys.executable, "-c", server]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=90)
        assert (tmp_path / "report").exists()
        assert ended.stdout == "[1]\n"

    async def test_failures_leave_no_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        for task in ("raise_error", "crash", "reject", "eat_memory", "answer_at_length"):
            with pytest.raises((ProviderUnavailableError, ProviderRejectedError)):
                await run(task)
        assert list(tmp_path.iterdir()) == []
