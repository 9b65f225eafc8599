"""How much is read of a document, so that none takes all time and memory."""

FILE_BYTES_MAX = 32 * 1024 * 1024
FILES_MAX = 200  # that a document may refer to
NODES_MAX = 1_000_000  # values in one file, aliases counted as what they stand for
DEPTH_MAX = 100  # of objects and lists within one another, in a file
REFERENCES_MAX = 100  # from one reference to the next, until there is something other than a reference
PARTS_MAX = 1_000  # schemas that hold for one value together, by allOf and references
VARIANTS_MAX = 100  # of one union
ALTERNATIVES_DEPTH_MAX = 8  # of unions within one another, for one value
OPTIONS_MAX = 1_000  # of one choice
TYPE_DEPTH_MAX = 12  # of groups, lists and unions within one another, in a field
TYPE_FIELDS_MAX = 300  # of a field, all levels counted
MEMBERS_MAX = 2_000  # of the object that a body is
PROBLEMS_MAX = 1_000  # that are told at once
