"""`env.GPU` on RunPod, against the RunPod of this machine."""

import json
from collections import Counter

import boto3
import pytest
from moto import mock_aws

from local.runpod.mischief import Fault, Mischief
from millrace.bindings.gpu.runpod import Runpod
from millrace.domain.gpu import GpuStatus
from millrace.domain.model_access import Account, Key
from millrace.env import Env
from millrace.errors import ConfigurationInvalid, GpuOrderRefused, GpuUnavailable, GpuUnknown, JobFailure
from tests.bindings.gpu_asking import ACTIONS, HOOK, ORDER, SOON, failure_of, gpu_at, submit
from tests.bindings.model_server import Told, model_server
from tests.runpod_bed import ENDPOINT, KEY, receiver, runpod_bed


@pytest.fixture
def bed():
    with runpod_bed() as bed:
        yield bed


@pytest.fixture
def gpu(bed):
    return Runpod.of(Account(f"{bed.runpod.url}/{ENDPOINT}", Key("GPU_KEY", value=KEY)))


def test_a_job_goes_from_the_order_to_its_result(bed, gpu):
    job_id = submit(gpu)
    assert gpu.status(job_id) == GpuStatus(job_id, "queued")

    bed.clock.advance(2)
    worker, job = bed.take()
    assert job["input"] == ORDER
    assert gpu.status(job_id) == GpuStatus(job_id, "running", delay_ms=2_000)

    bed.clock.advance(3)
    bed.finish(worker, job_id, output={"frames": 50})
    assert gpu.status(job_id) == GpuStatus(
        job_id, "completed", output={"frames": 50}, delay_ms=2_000, execution_ms=3_000
    )


def test_what_is_sent_is_what_the_documentation_asks_for():
    with model_server(Told({"id": "e1-u1", "status": "IN_QUEUE"})) as server:
        assert submit(gpu_at(server.url)) == "e1-u1"

    (asked,) = server.asked
    assert (asked.method, asked.path) == ("POST", f"/v2/{ENDPOINT}/run")
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert asked.body == {
        "input": ORDER,
        "webhook": HOOK,
        "policy": {"executionTimeout": 900_000, "ttl": 3_600_000},
    }


def test_its_webhook_is_told_of_the_end(bed, gpu):
    with receiver() as hook:
        job_id = submit(gpu, webhook_url=hook.url)
        worker, _ = bed.take()
        bed.finish(worker, job_id, error="no such file")
        bed.runpod.tend()

    status = gpu.status(job_id)
    assert (status.state, status.error) == ("failed", "no such file")
    assert hook.told[0]["id"] == job_id


def test_a_job_that_runs_for_longer_than_it_may_has_timed_out(bed, gpu):
    job_id = submit(gpu)
    bed.take()

    bed.clock.advance(900)

    assert gpu.status(job_id).state == "timed_out"


def test_a_job_past_its_ttl_is_gone_even_while_it_runs(bed, gpu):
    job_id = gpu.submit(ORDER, webhook_url=HOOK, execution_seconds=3_600, ttl_seconds=600)
    bed.take()

    bed.clock.advance(600)

    assert gpu.status(job_id) is None


def test_a_job_is_cancelled_and_cancelling_it_again_is_no_error(bed, gpu):
    job_id = submit(gpu)

    gpu.cancel(job_id)
    gpu.cancel(job_id)

    assert gpu.status(job_id).state == "cancelled"


def test_a_job_that_nobody_knows_is_none_and_cancelling_it_no_error(gpu):
    assert gpu.status("nobody-s") is None
    gpu.cancel("nobody-s")


def test_an_order_that_is_too_large_is_not_sent():
    with model_server(Told({"id": "e1"})) as server:
        with pytest.raises(GpuOrderRefused, match="10,000,000 bytes"):
            submit(gpu_at(server.url), {"text": "x" * 10_000_000})
        assert server.asked == []


@pytest.mark.parametrize("action", ACTIONS)
def test_a_provider_that_is_overloaded_says_when_to_come_again(bed, gpu, action):
    bed.mischief.do_next(Fault.ANSWER_429)

    failure = failure_of(action, gpu)

    assert isinstance(failure, GpuUnavailable)
    assert failure.retry_after_seconds == 7


def waiting(bed):
    return bed.runpod.endpoint.counts()["inQueue"]


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.ANSWER_NULL])
def test_an_order_whose_answer_is_lost_is_unknown_for_it_may_be_there(bed, gpu, fault):
    bed.mischief.do_next(fault)

    failure = failure_of("submit", gpu)

    assert isinstance(failure, GpuUnknown)
    assert not isinstance(failure, JobFailure)
    assert waiting(bed) == 1


def test_an_order_that_is_never_answered_is_unknown_for_it_may_be_there(bed):
    bed.mischief.do_next(Fault.HANG)
    root = bed.runpod.url.removesuffix("/v2")

    assert isinstance(failure_of("submit", gpu_at(root, seconds=SOON)), GpuUnknown)
    assert waiting(bed) == 1


@pytest.mark.parametrize("fault", [Fault.ANSWER_429, Fault.ANSWER_404])
def test_an_order_that_is_refused_is_not_there(bed, gpu, fault):
    bed.mischief.do_next(fault)

    assert isinstance(failure_of("submit", gpu), GpuUnavailable)
    assert waiting(bed) == 0


def test_with_faults_at_random_no_order_is_there_that_is_said_not_to_be():
    faults = (Fault.ANSWER_429, Fault.ANSWER_500, Fault.ANSWER_404, Fault.ANSWER_NULL, Fault.CUT)
    ended = Counter()
    with runpod_bed(mischief=Mischief(dict.fromkeys(faults, 0.1), seed=4)) as bed:
        gpu = gpu_at(bed.runpod.url.removesuffix("/v2"))
        for _ in range(200):
            try:
                submit(gpu)
                ended["taken"] += 1
            except (GpuUnavailable, GpuUnknown) as failure:
                ended[type(failure)] += 1

        assert ended["taken"] <= waiting(bed) <= ended["taken"] + ended[GpuUnknown]

    assert set(bed.mischief.done) == set(faults)


def test_the_key_comes_from_a_secret(bed):
    with mock_aws():
        manager = boto3.client("secretsmanager")
        arn = manager.create_secret(Name="runpod", SecretString=json.dumps({"api_key": KEY}))["ARN"]
        gpu = Runpod.of(Account(f"{bed.runpod.url}/{ENDPOINT}", Key("GPU_KEY_SECRET", secret_id=arn)))

        assert submit(gpu)


def test_a_secret_that_is_not_to_be_had_means_that_nothing_was_sent(bed):
    with mock_aws():
        access = Account(f"{bed.runpod.url}/{ENDPOINT}", Key("GPU_KEY_SECRET", secret_id="nobody-s"))
        with pytest.raises(GpuUnavailable, match="key of the GPU provider"):
            submit(Runpod.of(access))

    assert waiting(bed) == 0


def test_env_builds_it_from_the_configuration(bed):
    env = Env.from_variables(
        {
            "DATABASE_URL": "sqlite:///var/millrace.db",
            "GPU_BASE_URL": bed.runpod.url,
            "GPU_ENDPOINT_ID": ENDPOINT,
            "GPU_KEY": KEY,
        }
    )

    job_id = submit(env.GPU)

    assert env.GPU.status(job_id).state == "queued"
    assert KEY not in repr(env) + repr(env.GPU) + repr(env.config)


def test_without_an_endpoint_env_says_what_is_missing():
    env = Env.from_variables({"DATABASE_URL": "sqlite:///var/millrace.db"})

    with pytest.raises(ConfigurationInvalid, match="GPU_ENDPOINT_ID is missing"):
        _ = env.GPU
