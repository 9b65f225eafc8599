"""The checks that the files of an app do not decide: each with who or what does."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Undecided:
    """A check, why the files do not tell, and what a person does about it."""

    code: str
    reason: str
    do: str


UNDECIDED = (
    Undecided("A001", "It is about a connected account.", "Connect one account."),
    Undecided("E001", "Variables are set at Zapier.", "Compare `zapier-platform env:get` of both versions."),
    Undecided("L001", "Zapier knows which versions are deprecated.", "Promote one that is not."),
    Undecided("L002", "Zapier knows what was submitted.", "Raise the version after each submission."),
    Undecided("L003", "Zapier knows which version is public.", "Raise the version for each promotion."),
    Undecided("L004", "Zapier's team can block changes.", "Write to partners@zapier.com."),
    Undecided("M001", "It is chosen in the dashboard.", "Choose a category in the integration's settings."),
    Undecided("M003", "It is what you are.", "Choose your role, employee or contractor, in the settings."),
    Undecided("M007", "Zapier knows all titles.", "Search zapier.com/apps for the title first."),
    Undecided("S001", "It counts people.", "Have three people with live Zaps."),
    Undecided("S002", "It counts live Zaps.", "Turn on a Zap with each visible trigger, search and action."),
    Undecided("S003", "It counts versions in use.", "Migrate people from older versions of the same major."),
    Undecided("T001", "It looks at the Zap history.", "Let each of those Zaps succeed once."),
    Undecided("T002", "It looks at the Zap history.", "See that listed items have their ids."),
    Undecided("T003", "It looks at the Zap history.", "See that dates are ISO 8601 in what your server answers."),
    Undecided("T004", "It looks at the Zap history.", "See that your answers have all that the samples have."),
    Undecided("T005", "It looks at the Zap history.", "See that what is delivered is of the types of the fields."),
    Undecided("T006", "It looks at the Zap history.", "See that what is delivered has all that the list has."),
    Undecided("U001", "It is about your account.", "Agree to the developer terms of service."),
    Undecided("Z001", "It looks at Zaps.", "Test each trigger in the editor once."),
)
