// Package wire is the one encoding of all kinds: it turns a Go struct into the YAML of `az ml` v2 and into the REST of
// Azure's resource manager, and both back. Nothing here knows any kind; the kinds declare themselves, as follows.
//
// # A kind
//
// A kind is a plain struct whose fields have two tags. The yaml tag is the key in the file. The json tag is the key in
// REST, relative to the layout's Base:
//
//	type CommandJob struct {
//		Name        string               `yaml:"name" json:"name,ro"`
//		DisplayName string               `yaml:"display_name" json:"displayName"`
//		Tags        map[string]*string   `yaml:"tags" json:"tags,keep"`
//		Command     string               `yaml:"command,required" json:"command"`
//		Code        string               `yaml:"code,local" json:"codeId"`
//		Inputs      map[string]Input     `yaml:"inputs" json:"inputs"`
//		Limits      *Limits              `yaml:"limits" json:"limits"`
//		Status      string               `yaml:"status,ro" json:"status,ro"`
//		doc         wire.Document
//	}
//
//	var commandJob = wire.Layout{
//		Name: "command job",
//		Base: "properties",
//		At:   wire.Table{"name": "/name"},         // YAML name → REST path where it is not Base/json tag
//		YAML: wire.Fixed{"type": "command"},
//		REST: wire.Fixed{"jobType": "Command"},
//	}
//
//	func (CommandJob) WireLayout() *wire.Layout         { return &commandJob }
//	func (j *CommandJob) WireDocument() *wire.Document  { return &j.doc }
//
// REST paths in At are relative to Base ("scaleSettings/minNodeCount"), or from the document ("/tags", "/sku/capacity"),
// or "." to spread the field's own object over Base. Structs inside a kind may have a Layout too, for nesting of theirs.
// Anonymous structs without tags are part of the struct they are embedded in; their layouts' tables count, their Base,
// YAML and REST do not. Never embed a type that is an Encoder or Decoder.
//
// Options of the yaml tag:
//
//	required  must be there in YAML
//	ro        written by DumpYAML, dropped without a word on loading
//	local     a path: relative ones start from the folder of the file, unless it is a URL, id, reference or expression
//	text      takes any scalar and makes text of it as Python's str does (versions)
//	typed     (maps of text, in kinds with a document) as text, and numbers and booleans of a file are sent as such
//	empty     (text, in structs with a document) sent and written as "" when a file says so
//	single    a list that may be written as its one element
//	null      may be null (else null is a fault, as in the reference; pointers and any in maps may be null anyway)
//	ms, seconds, minutes, hours, days   the unit of a time.Duration (else ISO 8601)
//	inline    (a sealed interface or one-of struct) its keys stand among those of the struct
//	"-"       not in YAML
//
// Options of the json tag:
//
//	ro         read, never sent
//	keep       sent although it is zero: false, 0, {} or []
//	default=x  sent when it is zero (x as REST or the enum spells it)
//	bare       the kind inside has no envelope: its Base is not applied, and what its layout puts at "/…" is left out
//	"-"        not in REST
//
// A zero value is not sent, a pointer that is set is, so use a pointer only where zero and unset differ. A tag `node:"…"`
// names the field in a pipeline's node ("-" leaves it out), its option yaml spells the value as YAML, a unit the duration as
// a number; a tag `spec:"…"` names it in a component's specification. A field map[string]any with the extra tag
// (`yaml:"-" json:"." extra:""`) takes the keys nobody knows (json:"-": those of YAML only); a field of type Bindings takes `${{…}}` where fields
// hold no text.
//
// # Values
//
// time.Duration is ISO 8601 in REST; time.Time is RFC 3339. An enumeration is a string type with a table:
//
//	type InputMode string
//	func (InputMode) WireEnum() *wire.Enum { return inputModes }
//	var inputModes = wire.NewEnum("ro_mount", "ReadOnlyMount", "download", "Download").Alias("ro_mount", "mount")
//
// Its Go values are the YAML spelling. A union by a discriminator is a one-of struct, whose arms' tags are the
// discriminator's values (aliases after a comma), with a Raw field for arms nobody knows:
//
//	type Distribution struct {
//		PyTorch *PyTorch `yaml:"pytorch" json:"PyTorch"`
//		MPI     *MPI     `yaml:"mpi" json:"Mpi"`
//		Other   wire.Raw
//	}
//	func (Distribution) WireUnion() *wire.Union { return &distribution }
//	var distribution = wire.Union{YAML: "type", REST: "distributionType"}
//
// Fields use it as a value: an empty one-of struct is not sent. A value that has forms of its own (a scalar or a mapping)
// implements Encoder and Decoder. One that needs a last touch implements AfterEncoder, or AfterDecoder, which is also where
// faults about several fields at once are reported.
//
// # Kinds as values
//
// A sealed interface is decoded by the switch that its package registers; see Sum. Its arms are kinds, its Unknown keeps
// the document of what no arm is:
//
//	var _ = wire.RegisterSum[Spec](&wire.Sum{Name: "job", YAML: "type", Default: "command", REST: "properties/jobType",
//		Arms:    []wire.Arm{wire.ArmOf[CommandJob]("command", "Command"), …},
//		Unknown: func() any { return new(UnknownJob) }})
//
//	type UnknownJob struct{ Raw wire.Raw `yaml:"-" json:"."` }   // with an empty Layout: no Base
//
// # Use
//
// LoadYAML reads a file and reports all its faults (LoadNode does it for a document that ParseYAML has read, when the kind
// had to be found out first); LoadOptions has the overrides of `--set`. DumpYAML writes a file. FromREST reads an answer and
// never fails on what it does not know. Body makes the body of a create or update, losing nothing that the service said;
// Patch is a merge patch of what changed; ToREST is the plain encoding. ToNode, FromNode, ToSpec and FromSpec are the two
// spellings inside pipelines. Encoding never resolves a name and never opens a file: that is done before, on the struct.
//
// The test of each kind calls wiretest.Kind, which checks the declaration and, with random values, that both spellings round
// trip, that an update keeps what nobody knows, and that a clone takes nothing along.
//
// Beside the codec stand the words that several packages need: Expression, Reference and ARMID take strings apart;
// EmitYAML and EmitNode are PyYAML's dump, PythonJSON and PythonStr Python's, to the byte, because hashes are made of them;
// AnonymousEnvironmentVersion, AnonymousComponentVersion and ComponentHash are those hashes.
package wire
