# GENERATED from openapi/aiops.yaml by `make generate`; do not edit.

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, ConfigDict, Field, RootModel

from aiops.contract.base import ContractModel


class Receipt(ContractModel):
    job_id: Annotated[
        str,
        Field(
            description="The job that did the work.",
            examples=["job_5f0c2b9e7d1a4c3b8e6f9a02"],
            max_length=64,
            min_length=1,
            title="Job",
        ),
    ]
    credits_charged: Annotated[
        int, Field(description="What this call cost.", examples=[5], ge=0, le=1000000, title="Credits charged")
    ]
    credits_remaining: Annotated[
        int,
        Field(
            description="What could be spent when the call ended.",
            examples=[20],
            ge=0,
            le=1000000000,
            title="Credits remaining",
        ),
    ]
    model: Annotated[
        str,
        Field(
            description="The model or engine that ran.",
            examples=["black-forest-labs/FLUX.1-schnell"],
            max_length=200,
            min_length=1,
            title="Model",
        ),
    ]
    provider: Annotated[
        str,
        Field(
            description="Who ran it. `embedded` is the built-in one, for trying things out.",
            examples=["fal"],
            max_length=100,
            min_length=1,
            title="Provider",
        ),
    ]


class Limits(ContractModel):
    monthly_credits: Annotated[
        int,
        Field(
            description="The credits granted each month.", examples=[25], ge=0, le=1000000000, title="Monthly credits"
        ),
    ]
    requests_per_minute: Annotated[
        int,
        Field(
            description="How many calls to the services are taken in a minute.",
            examples=[10],
            ge=1,
            le=1000000,
            title="Requests per minute",
        ),
    ]
    jobs_at_once: Annotated[
        int,
        Field(
            description="How many jobs run at the same time; others wait in the queue.",
            examples=[2],
            ge=1,
            le=10000,
            title="Jobs at once",
        ),
    ]
    jobs_queued: Annotated[
        int,
        Field(description="How many jobs may wait in the queue.", examples=[100], ge=1, le=100000, title="Jobs queued"),
    ]
    audio_minutes: Annotated[
        int,
        Field(
            description="How long a recording to transcribe may be.",
            examples=[10],
            ge=1,
            le=10000,
            title="Audio minutes",
        ),
    ]
    file_megabytes: Annotated[
        int,
        Field(
            description="How large an uploaded file may be, in MB of 1,048,576 bytes.",
            examples=[200],
            ge=1,
            le=2000,
            title="File megabytes",
        ),
    ]
    stored_files: Annotated[
        int,
        Field(
            description="How many uploaded files are kept at a time.",
            examples=[20],
            ge=1,
            le=1000000,
            title="Stored files",
        ),
    ]
    stored_megabytes: Annotated[
        int,
        Field(
            description="How large the uploaded files that are kept at a time may be together, in MB.",
            examples=[500],
            ge=1,
            le=10000000,
            title="Stored megabytes",
        ),
    ]


class ServiceModel(ContractModel):
    id: Annotated[
        str,
        Field(
            description="What to send as `model`.", examples=["vibevoice"], max_length=200, min_length=1, title="Model"
        ),
    ]
    name: Annotated[
        str,
        Field(description="What people call it.", examples=["VibeVoice"], max_length=200, min_length=1, title="Name"),
    ]
    default: Annotated[
        bool, Field(description="Whether it is taken where none is asked for.", examples=[True], title="Default")
    ]
    live: Annotated[bool, Field(description="Whether this server can run it now.", examples=[True], title="Live")]
    provider: Annotated[
        str | None,
        Field(
            description="Who would run it, null where nobody can.",
            examples=["embedded"],
            max_length=100,
            title="Provider",
        ),
    ]


class ServiceVoice(ContractModel):
    id: Annotated[
        str,
        Field(
            description="What to send as `voice`.",
            examples=["en-Carter_man"],
            max_length=100,
            min_length=1,
            title="Voice",
        ),
    ]
    name: Annotated[
        str, Field(description="What people call it.", examples=["Carter"], max_length=100, min_length=1, title="Name")
    ]
    description: Annotated[
        str,
        Field(
            description="How it sounds.",
            examples=["Male, neutral American English."],
            max_length=200,
            title="Description",
        ),
    ]
    default: Annotated[
        bool, Field(description="Whether it is taken where none is asked for.", examples=[True], title="Default")
    ]


class Transaction(ContractModel):
    id: Annotated[
        str,
        Field(
            description="The id of the transaction.",
            examples=["txn_2"],
            max_length=64,
            min_length=1,
            title="Transaction",
        ),
    ]
    type: Annotated[
        Literal["grant", "charge", "refund", "purchase", "adjustment"],
        Field(description="Why the credits changed.", title="Type"),
    ]
    amount: Annotated[
        int,
        Field(
            description="By how much the credits changed; negative for a charge.",
            examples=[-5],
            ge=-1000000000,
            le=1000000000,
            title="Amount",
        ),
    ]
    balance_after: Annotated[
        int,
        Field(description="What could be spent afterwards.", examples=[20], ge=0, le=1000000000, title="Balance after"),
    ]
    job_id: Annotated[
        str | None,
        Field(
            description="The job it belongs to, null for grants and the like.",
            examples=["job_5f0c2b9e7d1a4c3b8e6f9a02"],
            max_length=64,
            title="Job",
        ),
    ]
    description: Annotated[
        str | None,
        Field(
            description="What it was for, null for jobs.",
            examples=["Monthly credits of the free plan"],
            max_length=500,
            title="Description",
        ),
    ]
    created_at: Annotated[
        AwareDatetime, Field(description="When it happened.", examples=["2026-01-05T10:15:00.123456Z"], title="Created")
    ]


class TransactionList(ContractModel):
    data: Annotated[
        list[Transaction], Field(description="The transactions, newest first.", max_length=100, title="Transactions")
    ]
    next_cursor: Annotated[
        str | None,
        Field(
            description="Send it as `cursor` for the next page; null on the last one.",
            examples=["MTc2NzIyNTYwMA"],
            max_length=200,
            title="Next cursor",
        ),
    ]


class Health(ContractModel):
    status: Annotated[
        Literal["ok"],
        Field(
            description="Always `ok`; anything else is answered with an error.",
            examples=["ok"],
            max_length=2,
            title="Status",
        ),
    ]


class FileUpload(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    file: Annotated[
        str,
        Field(
            description="The content of the file, whole. Its name is kept for whoever downloads it; its announced type is not.",
            examples=["recording.m4a"],
            max_length=2097152000,
            title="File",
        ),
    ]


class UploadedFile(ContractModel):
    id: Annotated[
        str,
        Field(
            description="The id of the file.",
            examples=["Hq3VnX8sKw2tRb6yLc9mPz.m4a"],
            max_length=64,
            min_length=1,
            title="File",
        ),
    ]
    file_url: Annotated[
        str,
        Field(
            description="A link to the file that works without an API key until it expires. *Transcribe audio* takes it as `audio_url`.\n",
            examples=[
                "https://aiops.example/files/Hq3VnX8sKw2tRb6yLc9mPz.m4a?expires=1767867300&signature=p4Wc9sTn2Qe7"
            ],
            max_length=2048,
            min_length=8,
            title="File URL",
        ),
    ]
    name: Annotated[
        str,
        Field(
            description="The name it was sent under, without what a file name cannot have, and with the ending of its type.",
            examples=["recording.m4a"],
            max_length=110,
            min_length=1,
            title="Name",
        ),
    ]
    content_type: Annotated[
        str,
        Field(
            description="What it is, told by its content.",
            examples=["audio/mp4"],
            max_length=100,
            min_length=3,
            title="Content type",
        ),
    ]
    size_bytes: Annotated[
        int, Field(description="How large it is.", examples=[1921024], ge=1, le=2097152000, title="Size in bytes")
    ]
    duration_seconds: Annotated[
        float,
        Field(
            description="How long its sound lasts.", examples=[121.5], ge=0.0, le=600000.0, title="Duration in seconds"
        ),
    ]
    created_at: Annotated[
        AwareDatetime,
        Field(description="When it was stored.", examples=["2026-01-05T10:15:00.123456Z"], title="Created"),
    ]
    expires_at: Annotated[
        AwareDatetime,
        Field(
            description="When it is deleted and its link stops working.",
            examples=["2026-01-08T10:15:00Z"],
            title="Expires",
        ),
    ]


class FileContent(RootModel[str]):
    root: Annotated[str, Field(description="The bytes of the file.", max_length=209715200, title="File")]


class Error(ContractModel):
    error: Annotated[
        str,
        Field(
            description="What went wrong, in a sentence for people.",
            examples=["Insufficient credits"],
            max_length=1000,
            min_length=1,
            title="Error",
        ),
    ]
    code: Annotated[
        str,
        Field(
            description="What went wrong, in a word for programs. It stays the same when the sentence is improved.",
            examples=["insufficient_credits"],
            max_length=50,
            min_length=1,
            title="Code",
        ),
    ]


class MalformedRequestError(Error):
    code: Annotated[
        Literal["malformed_request"],
        Field(description="Always `malformed_request`.", max_length=50, min_length=1, title="Code"),
    ]


class UnauthorizedError(Error):
    code: Annotated[
        Literal["unauthorized"], Field(description="Always `unauthorized`.", max_length=50, min_length=1, title="Code")
    ]


class InsufficientCreditsError(Error):
    code: Annotated[
        Literal["insufficient_credits"],
        Field(description="Always `insufficient_credits`.", max_length=50, min_length=1, title="Code"),
    ]
    credits: Annotated[int, Field(description="What can be spent.", examples=[3], ge=0, le=1000000000, title="Credits")]
    cost: Annotated[int, Field(description="What the call costs.", examples=[5], ge=0, le=1000000, title="Cost")]


class NotFoundError(Error):
    code: Annotated[
        Literal["not_found"], Field(description="Always `not_found`.", max_length=50, min_length=1, title="Code")
    ]


class MethodNotAllowedError(Error):
    code: Annotated[
        Literal["method_not_allowed"],
        Field(description="Always `method_not_allowed`.", max_length=50, min_length=1, title="Code"),
    ]


class JobRunningError(Error):
    code: Annotated[
        Literal["job_running"], Field(description="Always `job_running`.", max_length=50, min_length=1, title="Code")
    ]
    job_id: Annotated[
        str,
        Field(
            description="The job that still runs.",
            examples=["job_5f0c2b9e7d1a4c3b8e6f9a02"],
            max_length=64,
            min_length=1,
            title="Job",
        ),
    ]


class JobCancelledError(Error):
    code: Annotated[
        Literal["job_cancelled"],
        Field(description="Always `job_cancelled`.", max_length=50, min_length=1, title="Code"),
    ]
    job_id: Annotated[
        str,
        Field(
            description="The job that was cancelled.",
            examples=["job_5f0c2b9e7d1a4c3b8e6f9a02"],
            max_length=64,
            min_length=1,
            title="Job",
        ),
    ]


class RequestTooLargeError(Error):
    code: Annotated[
        Literal["request_too_large"],
        Field(description="Always `request_too_large`.", max_length=50, min_length=1, title="Code"),
    ]


class UnsupportedMediaTypeError(Error):
    code: Annotated[
        Literal["unsupported_media_type"],
        Field(description="Always `unsupported_media_type`.", max_length=50, min_length=1, title="Code"),
    ]


class RangeNotSatisfiableError(Error):
    code: Annotated[
        Literal["range_not_satisfiable"],
        Field(description="Always `range_not_satisfiable`.", max_length=50, min_length=1, title="Code"),
    ]


class InvalidField(ContractModel):
    field: Annotated[
        str,
        Field(
            description="Its name; empty where the body as a whole is meant.",
            examples=["aspect_ratio"],
            max_length=200,
            title="Field",
        ),
    ]
    message: Annotated[
        str,
        Field(
            description="What is wrong with it.",
            examples=["Field required"],
            max_length=1000,
            min_length=1,
            title="Message",
        ),
    ]


class IdempotencyKeyReusedError(Error):
    code: Annotated[
        Literal["idempotency_key_reused"],
        Field(description="Always `idempotency_key_reused`.", max_length=50, min_length=1, title="Code"),
    ]


class GenerationFailedError(Error):
    code: Annotated[
        Literal["generation_failed"],
        Field(description="Always `generation_failed`.", max_length=50, min_length=1, title="Code"),
    ]
    reason: Annotated[
        str,
        Field(
            description="What failed.",
            examples=["The provider did not answer in time."],
            max_length=1000,
            min_length=1,
            title="Reason",
        ),
    ]
    refunded: Annotated[
        Literal[True],
        Field(description="Always true; what was held for the call is back.", examples=[True], title="Refunded"),
    ]
    credits: Annotated[
        int,
        Field(description="What can be spent after the refund.", examples=[25], ge=0, le=1000000000, title="Credits"),
    ]
    job_id: Annotated[
        str,
        Field(
            description="The job that failed.",
            examples=["job_5f0c2b9e7d1a4c3b8e6f9a02"],
            max_length=64,
            min_length=1,
            title="Job",
        ),
    ]


class InternalError(Error):
    code: Annotated[
        Literal["internal_error"],
        Field(description="Always `internal_error`.", max_length=50, min_length=1, title="Code"),
    ]


class AvailableItem(RootModel[str]):
    root: Annotated[str, Field(max_length=200, title="Model")]


class ModelUnavailableError(Error):
    code: Annotated[
        Literal["model_unavailable"],
        Field(description="Always `model_unavailable`.", max_length=50, min_length=1, title="Code"),
    ]
    available: Annotated[
        list[AvailableItem],
        Field(
            description="The models of this service that can be had.",
            examples=[["black-forest-labs/FLUX.1-schnell"]],
            max_length=100,
            title="Available",
        ),
    ]


class DatabaseUnavailableError(Error):
    code: Annotated[
        Literal["database_unavailable"],
        Field(description="Always `database_unavailable`.", max_length=50, min_length=1, title="Code"),
    ]


class StorageUnavailableError(Error):
    code: Annotated[
        Literal["storage_unavailable"],
        Field(description="Always `storage_unavailable`.", max_length=50, min_length=1, title="Code"),
    ]


class NotReadyError(Error):
    code: Annotated[
        Literal["not_ready"], Field(description="Always `not_ready`.", max_length=50, min_length=1, title="Code")
    ]


class ServerBusyError(Error):
    code: Annotated[
        Literal["server_busy"], Field(description="Always `server_busy`.", max_length=50, min_length=1, title="Code")
    ]


class ServiceConflictError(RootModel[JobRunningError | JobCancelledError]):
    root: Annotated[
        JobRunningError | JobCancelledError,
        Field(description="What a service answers with 409.", title="Service: conflict"),
    ]


class ServiceFailureError(RootModel[GenerationFailedError | InternalError]):
    root: Annotated[
        GenerationFailedError | InternalError,
        Field(description="What a service answers with 500.", title="Service: failure"),
    ]


class ServiceUnavailableError(RootModel[ModelUnavailableError | DatabaseUnavailableError | ServerBusyError]):
    root: Annotated[
        ModelUnavailableError | DatabaseUnavailableError | ServerBusyError,
        Field(description="What a service answers with 503.", title="Service: unavailable"),
    ]


class UploadUnavailableError(RootModel[DatabaseUnavailableError | StorageUnavailableError | ServerBusyError]):
    root: Annotated[
        DatabaseUnavailableError | StorageUnavailableError | ServerBusyError,
        Field(description="What an upload answers with 503.", title="Upload: unavailable"),
    ]


class FileUnavailableError(RootModel[DatabaseUnavailableError | StorageUnavailableError]):
    root: Annotated[
        DatabaseUnavailableError | StorageUnavailableError,
        Field(description="What a download answers with 503.", title="File: unavailable"),
    ]


class WebhookRequest(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    url: Annotated[
        str,
        Field(
            description="A public URL, by http or https, that takes a POST with JSON.",
            examples=["https://hooks.example/aiops"],
            max_length=2048,
            min_length=8,
            pattern="^https?://[^\\s\\u0000]+$",
            title="URL",
        ),
    ]
    events: Annotated[
        list[Literal["job.succeeded", "job.failed", "job.cancelled", "credits.low"]],
        Field(
            description="Which events to send.",
            examples=[["job.succeeded", "job.failed"]],
            max_length=4,
            min_length=1,
            title="Events",
        ),
    ]


class Webhook(ContractModel):
    id: Annotated[
        str,
        Field(
            description="The id of the webhook.",
            examples=["hook_3f8a1c5e7b9d2f4a6c8e0b1d"],
            max_length=64,
            min_length=1,
            title="Webhook",
        ),
    ]
    url: Annotated[
        str,
        Field(
            description="Where the events are sent.",
            examples=["https://hooks.example/aiops"],
            max_length=2048,
            min_length=8,
            title="URL",
        ),
    ]
    events: Annotated[
        list[Literal["job.succeeded", "job.failed", "job.cancelled", "credits.low"]],
        Field(
            description="Which events are sent.",
            examples=[["job.succeeded", "job.failed"]],
            max_length=4,
            title="Events",
        ),
    ]
    status: Annotated[
        Literal["active", "disabled"],
        Field(description="Whether events are sent.", examples=["active"], title="Status"),
    ]
    reason: Annotated[
        str | None,
        Field(
            description="Why it is disabled, else null.",
            examples=["Its receiver answered 410 Gone."],
            max_length=1000,
            title="Reason",
        ),
    ]
    created_at: Annotated[
        AwareDatetime, Field(description="When it was made.", examples=["2026-01-05T10:15:00.123456Z"], title="Created")
    ]


class NewWebhook(Webhook):
    secret: Annotated[
        str,
        Field(
            description="What its deliveries are signed with. It is not shown again; if it is lost, rotate it.",
            examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="],
            max_length=200,
            min_length=1,
            title="Secret",
        ),
    ]


class WebhookList(ContractModel):
    data: Annotated[list[Webhook], Field(description="The webhooks, newest first.", max_length=100, title="Webhooks")]
    next_cursor: Annotated[
        str | None,
        Field(
            description="Send it as `cursor` for the next page; null on the last one.",
            examples=["MTc2NzIyNTYwMA"],
            max_length=200,
            title="Next cursor",
        ),
    ]


class LowCredits(ContractModel):
    credits: Annotated[int, Field(description="What can be spent.", examples=[3], ge=0, le=1000000000, title="Credits")]
    monthly_credits: Annotated[
        int,
        Field(description="What the plan grants a month.", examples=[25], ge=0, le=1000000000, title="Monthly credits"),
    ]
    plan: Annotated[str, Field(description="The plan.", examples=["free"], max_length=100, title="Plan")]


class ListJobsParametersQuery(ContractModel):
    status: Annotated[
        Literal["queued", "running", "succeeded", "failed", "cancelled"] | None,
        Field(description="How far the job is.", title="Status"),
    ] = None
    service: Annotated[
        Literal["generate_image", "generate_speech", "transcribe_audio"] | None, Field(title="Service")
    ] = None
    created_from: Annotated[AwareDatetime | None, Field(title="Created from")] = None
    created_before: Annotated[AwareDatetime | None, Field(title="Created before")] = None
    limit: Annotated[int, Field(ge=1, le=100, title="Limit")] = 20
    cursor: Annotated[str | None, Field(max_length=200, min_length=1, title="Cursor")] = None


class ListWebhooksParametersQuery(ContractModel):
    event: Annotated[
        Literal["job.succeeded", "job.failed", "job.cancelled", "credits.low"] | None,
        Field(description="What has happened.", title="Event"),
    ] = None
    limit: Annotated[int, Field(ge=1, le=100, title="Limit")] = 20
    cursor: Annotated[str | None, Field(max_length=200, min_length=1, title="Cursor")] = None


class ListCreditTransactionsParametersQuery(ContractModel):
    limit: Annotated[int, Field(ge=1, le=100, title="Limit")] = 20
    cursor: Annotated[str | None, Field(max_length=200, min_length=1, title="Cursor")] = None


class DownloadFileParametersQuery(ContractModel):
    expires: Annotated[str | None, Field(max_length=20, title="Expires")] = None
    signature: Annotated[str | None, Field(max_length=100, title="Signature")] = None


class GetOpenapiYamlResponse(RootModel[dict[str, Any]]):
    root: Annotated[dict[str, Any], Field(max_length=20)]


class GetOpenapiJsonResponse(RootModel[dict[str, Any]]):
    root: Annotated[dict[str, Any], Field(max_length=20)]


class ImageRequest(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    prompt: Annotated[
        str,
        Field(
            description="What the image shows, in your own words.",
            examples=["A lighthouse on a cliff at sunset"],
            max_length=2000,
            min_length=1,
            pattern="^[^\\u0000]*[^\\s\\u0000][^\\u0000]*$",
            title="Prompt",
        ),
    ]
    aspect_ratio: Annotated[
        Literal["1:1", "16:9", "9:16", "4:3", "3:4"],
        Field(
            description="Width to height. Square for profile pictures, 9:16 for mobile wallpapers, 16:9 for desktop.",
            examples=["16:9"],
            title="Aspect ratio",
        ),
    ] = "1:1"
    style: Annotated[
        Literal["none", "anime"], Field(description="A style to draw in.", examples=["anime"], title="Style")
    ] = "none"
    model: Annotated[
        Literal["black-forest-labs/FLUX.1-schnell", "black-forest-labs/FLUX.1-dev", "fal-ai/flux-pro"],
        Field(description="The model that draws.", examples=["black-forest-labs/FLUX.1-schnell"], title="Model"),
    ] = "black-forest-labs/FLUX.1-schnell"
    callback_url: Annotated[
        str | None,
        Field(
            description="Where to send word when the job has ended, as a POST with the event, signed like those to webhooks. The call is\nanswered as ever; a repeat with another callback URL adds that one.\n",
            examples=["https://hooks.example/job-ended"],
            max_length=2048,
            min_length=8,
            pattern="^https?://[^\\s\\u0000]+$",
            title="Callback URL",
        ),
    ] = None


class SpeechRequest(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    text: Annotated[
        str,
        Field(
            description="The text to speak, at most 500 characters.",
            examples=["Welcome back. Your order is on its way."],
            max_length=500,
            min_length=1,
            pattern="^[^\\u0000]*[^\\s\\u0000][^\\u0000]*$",
            title="Text",
        ),
    ]
    voice: Annotated[
        Literal["en-Carter_man", "en-Emily_woman", "en-James_man", "en-Sarah_woman"],
        Field(
            description="Carter and James are male, Emily and Sarah female.", examples=["en-Emily_woman"], title="Voice"
        ),
    ] = "en-Carter_man"
    model: Annotated[
        Literal["vibevoice", "parler-tts/parler-tts-mini-v1"],
        Field(description="The model that speaks.", examples=["vibevoice"], title="Model"),
    ] = "vibevoice"
    callback_url: Annotated[
        str | None,
        Field(
            description="Where to send word when the job has ended, as a POST with the event, signed like those to webhooks. The call is\nanswered as ever; a repeat with another callback URL adds that one.\n",
            examples=["https://hooks.example/job-ended"],
            max_length=2048,
            min_length=8,
            pattern="^https?://[^\\s\\u0000]+$",
            title="Callback URL",
        ),
    ] = None


class TranscriptionRequest(ContractModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    audio_url: Annotated[
        str,
        Field(
            description="A direct public link to the audio, by http or https, or the link to a file of this API. It must answer with\nthe file itself and not with a page around it.\n",
            examples=["https://media.example/podcast/episode-12.mp3"],
            max_length=2048,
            min_length=8,
            pattern="^https?://[^\\s\\u0000]+$",
            title="Audio URL",
        ),
    ]
    language: Annotated[
        Literal["en", "es", "fr", "de", "it", "ja", "zh"],
        Field(description="The language that is spoken.", examples=["en"], title="Language"),
    ] = "en"
    model: Annotated[
        Literal["distil-whisper/distil-large-v3", "openai/whisper-large-v3", "meta-llama/seamless-m4t-v2-large"],
        Field(description="The model that listens.", examples=["distil-whisper/distil-large-v3"], title="Model"),
    ] = "distil-whisper/distil-large-v3"
    callback_url: Annotated[
        str | None,
        Field(
            description="Where to send word when the job has ended, as a POST with the event, signed like those to webhooks. The call is\nanswered as ever; a repeat with another callback URL adds that one.\n",
            examples=["https://hooks.example/job-ended"],
            max_length=2048,
            min_length=8,
            pattern="^https?://[^\\s\\u0000]+$",
            title="Callback URL",
        ),
    ] = None


class ImageResult(ContractModel):
    image_url: Annotated[
        str,
        Field(
            description="A link to the image that works without an API key until it expires.",
            examples=[
                "https://aiops.example/files/9tTkq0mB3nZyW4xVbC7dQe.png?expires=1767225600&signature=Jx3mR0a9sQk2"
            ],
            max_length=2048,
            min_length=8,
            title="Image URL",
        ),
    ]
    success: Annotated[
        Literal[True],
        Field(description="Always true; a failure is answered with an error.", examples=[True], title="Success"),
    ]


class SpeechResult(ContractModel):
    audio_url: Annotated[
        str,
        Field(
            description="A link to the mp3 file that works without an API key until it expires.",
            examples=[
                "https://aiops.example/files/Zq8LrT2yHc5uNp1wXk6vBd.mp3?expires=1767225600&signature=c7Yt1oPz4LmE"
            ],
            max_length=2048,
            min_length=8,
            title="Audio URL",
        ),
    ]
    success: Annotated[
        Literal[True],
        Field(description="Always true; a failure is answered with an error.", examples=[True], title="Success"),
    ]


class TranscriptionResult(ContractModel):
    text: Annotated[
        str,
        Field(
            description="What was said.",
            examples=["Welcome back. Your order is on its way."],
            max_length=1000000,
            min_length=1,
            title="Text",
        ),
    ]
    success: Annotated[
        Literal[True],
        Field(description="Always true; a failure is answered with an error.", examples=[True], title="Success"),
    ]


class Image(ImageResult, Receipt):
    pass


class Speech(SpeechResult, Receipt):
    pass


class Transcription(TranscriptionResult, Receipt):
    pass


class Job(ContractModel):
    id: Annotated[
        str,
        Field(
            description="The id of the job.",
            examples=["job_5f0c2b9e7d1a4c3b8e6f9a02"],
            max_length=64,
            min_length=1,
            title="Job",
        ),
    ]
    service: Annotated[
        str,
        Field(
            description="The service that was called, by its operationId.",
            examples=["generate_image"],
            max_length=100,
            min_length=1,
            title="Service",
        ),
    ]
    status: Annotated[
        Literal["queued", "running", "succeeded", "failed", "cancelled"],
        Field(description="How far the job is.", title="Status"),
    ]
    progress: Annotated[
        float | None,
        Field(
            description="From 0 to 1, or null where it is not known.", examples=[0.4], ge=0.0, le=1.0, title="Progress"
        ),
    ]
    model: Annotated[
        str | None,
        Field(
            description="The model that was asked for and, once it has run, the engine that ran.",
            examples=["black-forest-labs/FLUX.1-schnell"],
            max_length=200,
            title="Model",
        ),
    ]
    provider: Annotated[
        str | None,
        Field(
            description="Who runs it, null before it has started.", examples=["fal"], max_length=100, title="Provider"
        ),
    ]
    result: Annotated[
        ImageResult | SpeechResult | TranscriptionResult | None,
        Field(description="The answer of the service once the job has succeeded, else null.", title="Result"),
    ]
    reason: Annotated[
        str | None,
        Field(
            description="Why the job failed or was cancelled, else null.",
            examples=["The provider did not answer in time."],
            max_length=1000,
            title="Reason",
        ),
    ]
    credits_held: Annotated[
        int,
        Field(
            description="What is set aside for the job while it is open.",
            examples=[0],
            ge=0,
            le=1000000,
            title="Credits held",
        ),
    ]
    credits_charged: Annotated[
        int,
        Field(
            description="What the job has cost, once it has succeeded.",
            examples=[5],
            ge=0,
            le=1000000,
            title="Credits charged",
        ),
    ]
    credits_refunded: Annotated[
        int,
        Field(
            description="What was given back, once it has failed or was cancelled.",
            examples=[0],
            ge=0,
            le=1000000,
            title="Credits refunded",
        ),
    ]
    created_at: Annotated[
        AwareDatetime,
        Field(description="When the job was accepted.", examples=["2026-01-05T10:15:00.123456Z"], title="Created"),
    ]
    started_at: Annotated[
        AwareDatetime | None,
        Field(
            description="When a worker took it up, else null.",
            examples=["2026-01-05T10:15:00.234567Z"],
            title="Started",
        ),
    ]
    finished_at: Annotated[
        AwareDatetime | None,
        Field(description="When it ended, else null.", examples=["2026-01-05T10:15:02.345678Z"], title="Finished"),
    ]


class JobList(ContractModel):
    data: Annotated[list[Job], Field(description="The jobs, newest first.", max_length=100, title="Jobs")]
    next_cursor: Annotated[
        str | None,
        Field(
            description="Send it as `cursor` for the next page; null on the last one.",
            examples=["MTc2NzIyNTYwMA"],
            max_length=200,
            title="Next cursor",
        ),
    ]


class Account(ContractModel):
    id: Annotated[
        str,
        Field(
            description="The id of the account.",
            examples=["acc_7b1e0c9d2f3a4b5c6d7e8f90"],
            max_length=64,
            min_length=1,
            title="Account",
        ),
    ]
    email: Annotated[
        str,
        Field(
            description="The e-mail address of its owner.",
            examples=["you@company.example"],
            max_length=254,
            min_length=3,
            title="E-mail",
        ),
    ]
    plan: Annotated[
        str, Field(description="The plan it is on.", examples=["free"], max_length=50, min_length=1, title="Plan")
    ]
    credits: Annotated[
        int,
        Field(
            description="What can be spent now. What is held for open jobs is already off it.",
            examples=[20],
            ge=0,
            le=1000000000,
            title="Credits",
        ),
    ]
    credits_held: Annotated[
        int,
        Field(description="What is set aside for open jobs.", examples=[5], ge=0, le=1000000000, title="Credits held"),
    ]
    limits: Limits


class Service(ContractModel):
    id: Annotated[
        str,
        Field(
            description="Its operationId.", examples=["generate_image"], max_length=100, min_length=1, title="Service"
        ),
    ]
    name: Annotated[
        str,
        Field(description="What it does.", examples=["Generate an image"], max_length=100, min_length=1, title="Name"),
    ]
    method: Annotated[
        str,
        Field(
            description="The HTTP method to call it with.",
            examples=["POST"],
            max_length=10,
            min_length=1,
            title="Method",
        ),
    ]
    path: Annotated[
        str,
        Field(
            description="The path to call.",
            examples=["/api/services/image_gen"],
            max_length=200,
            min_length=1,
            title="Path",
        ),
    ]
    credits: Annotated[int, Field(description="What a call costs.", examples=[5], ge=0, le=1000000, title="Credits")]
    models: Annotated[
        list[ServiceModel], Field(description="The models to choose from.", max_length=100, title="Models")
    ]
    voices: Annotated[
        list[ServiceVoice],
        Field(
            description="The voices to choose from; empty where the service does not speak.",
            max_length=100,
            title="Voices",
        ),
    ]


class InvalidInputError(Error):
    code: Annotated[
        Literal["invalid_input"],
        Field(description="Always `invalid_input`.", max_length=50, min_length=1, title="Code"),
    ]
    details: Annotated[
        list[InvalidField],
        Field(description="What is wrong, field by field.", max_length=100, min_length=1, title="Details"),
    ]


class UnprocessableError(Error):
    code: Annotated[
        Literal["unprocessable"],
        Field(description="Always `unprocessable`.", max_length=50, min_length=1, title="Code"),
    ]
    reason: Annotated[
        str,
        Field(
            description="What is wrong with it.",
            examples=["The audio could not be downloaded."],
            max_length=1000,
            min_length=1,
            title="Reason",
        ),
    ]
    refunded: Annotated[
        Literal[True],
        Field(description="Always true; what was held for the call is back.", examples=[True], title="Refunded"),
    ]
    job_id: Annotated[
        str,
        Field(
            description="The job that failed.",
            examples=["job_c04b8d1f3e6a4729b5d0e8f7"],
            max_length=64,
            min_length=1,
            title="Job",
        ),
    ]


class RateLimitExceededError(Error):
    code: Annotated[
        Literal["rate_limit_exceeded"],
        Field(description="Always `rate_limit_exceeded`.", max_length=50, min_length=1, title="Code"),
    ]
    retry_after: Annotated[
        int, Field(description="The seconds to wait.", examples=[41], ge=1, le=3600, title="Retry after")
    ]


class QueueFullError(Error):
    code: Annotated[
        Literal["queue_full"], Field(description="Always `queue_full`.", max_length=50, min_length=1, title="Code")
    ]
    retry_after: Annotated[
        int, Field(description="The seconds to wait.", examples=[41], ge=1, le=3600, title="Retry after")
    ]


class StorageFullError(Error):
    code: Annotated[
        Literal["storage_full"], Field(description="Always `storage_full`.", max_length=50, min_length=1, title="Code")
    ]
    retry_after: Annotated[
        int, Field(description="The seconds to wait.", examples=[41], ge=1, le=3600, title="Retry after")
    ]


class ServiceUnprocessableError(RootModel[InvalidInputError | IdempotencyKeyReusedError | UnprocessableError]):
    root: Annotated[
        InvalidInputError | IdempotencyKeyReusedError | UnprocessableError,
        Field(description="What a service answers with 422.", title="Service: unprocessable"),
    ]


class ServiceLimitError(RootModel[RateLimitExceededError | QueueFullError]):
    root: Annotated[
        RateLimitExceededError | QueueFullError,
        Field(description="What a service answers with 429.", title="Service: limit"),
    ]


class UploadLimitError(RootModel[RateLimitExceededError | StorageFullError]):
    root: Annotated[
        RateLimitExceededError | StorageFullError,
        Field(description="What an upload answers with 429.", title="Upload: limit"),
    ]


class JobEvent(ContractModel):
    type: Annotated[
        Literal["job.succeeded", "job.failed", "job.cancelled"],
        Field(description="How it ended.", examples=["job.succeeded"], title="Type"),
    ]
    timestamp: Annotated[
        AwareDatetime,
        Field(description="When it happened.", examples=["2026-01-05T10:15:02.345678Z"], title="Timestamp"),
    ]
    data: Job
    note: Annotated[
        str | None,
        Field(
            description="Present where there is something to know of the event: that it is a test, or that a text of more than 16,384\nbytes is left out, with the whole result; get the job to read it.\n",
            examples=["This is a test; it has not happened."],
            max_length=200,
            title="Note",
        ),
    ] = None


class CreditsEvent(ContractModel):
    type: Annotated[
        Literal["credits.low"], Field(description="Always `credits.low`.", examples=["credits.low"], title="Type")
    ]
    timestamp: Annotated[
        AwareDatetime,
        Field(description="When it happened.", examples=["2026-01-05T10:15:02.345678Z"], title="Timestamp"),
    ]
    data: LowCredits
    note: Annotated[
        str | None,
        Field(
            description="Present where there is something to know of the event: that it is a test, or that a text of more than 16,384\nbytes is left out, with the whole result; get the job to read it.\n",
            examples=["This is a test; it has not happened."],
            max_length=200,
            title="Note",
        ),
    ] = None


class ServiceList(ContractModel):
    data: Annotated[list[Service], Field(description="The services.", max_length=100, title="Services")]
