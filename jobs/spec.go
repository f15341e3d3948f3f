package jobs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
)

// Spec is what can be submitted: a job of any kind, or its builder. The kinds are *CommandJob, *SweepJob,
// *SparkJob, *PipelineJob, *AutoMLJob, *FineTuningJob, *OpenAIFineTuningJob, *DistillationJob, *ImportJob and, of what the
// service answers, *UnknownJob.
type Spec interface {
	// job gives the definition, or every fault that a builder has kept.
	job() (definition, error)
}

// definition is a job as plain data.
type definition interface {
	Spec
	// head gives what all kinds have.
	head() head
	// check reports what is wrong with the job as it stands here, before the service is asked anything.
	check(ctx context.Context, c *checker)
	// clone is a copy whose fields can be set without changing the original's.
	clone() definition
	// resolve turns names into ids and local files into addresses. It is called on a clone, and replaces
	// maps instead of changing them.
	resolve(ctx context.Context, r *resolver) error
	// jobType is the service's word for the kind.
	jobType() string
}

// head points at the fields that all kinds have.
type head struct {
	name, displayName, experiment, compute *string
	tags                                   *map[string]string
	identity                               *azureml.Identity
	inputs                                 *Inputs
	outputs                                *Outputs
	properties                             properties
	groups                                 bool // names of inputs and outputs may have dots
}

// properties is a job's map of properties, whose values are text or anything.
type properties interface {
	has(key string) bool
	// add makes a new map with these too.
	add(more map[string]string)
}

type propertyMap[V any] struct {
	m    *map[string]V
	make func(string) V
}

func (p propertyMap[V]) has(key string) bool {
	_, ok := (*p.m)[key]
	return ok
}

func (p propertyMap[V]) add(more map[string]string) {
	all := make(map[string]V, len(*p.m)+len(more))
	maps.Copy(all, *p.m)
	for k, v := range more {
		all[k] = p.make(v)
	}
	*p.m = all
}

// textual are properties that are text.
func textual(m *map[string]string) properties {
	return propertyMap[string]{m, func(s string) string { return s }}
}

var _ = wire.RegisterSum[Spec](&wire.Sum{
	Name: "job", YAML: "type", Default: "command", REST: "properties/jobType",
	Arms: []wire.Arm{
		wire.ArmOf[CommandJob]("command", "Command"),
		wire.ArmOf[SweepJob]("sweep", "Sweep"),
		wire.ArmOf[SparkJob]("spark", "Spark"),
		wire.ArmOf[PipelineJob]("pipeline", "Pipeline"),
		wire.ArmOf[AutoMLJob]("automl", "AutoML"),
		wire.ArmOf[FineTuningJob]("finetuning", "FineTuning"),
		wire.ArmOf[OpenAIFineTuningJob]("", ""),
		wire.ArmOf[DistillationJob]("distillation", ""),
		wire.ArmOf[ImportJob]("import", ""),
	},
	Unknown: func() any { return new(UnknownJob) },
	Pick:    pickJob,
})

// defined refuses a nil job.
func defined[T any, P interface {
	*T
	definition
}](j P) (definition, error) {
	if j == nil {
		return nil, errors.New("the job is nil")
	}
	return j, nil
}

// UnknownJob is a job of a kind that this version does not know, as the service answered it.
type UnknownJob struct {
	Raw azureml.Raw `yaml:"-" json:"."`
}

var unknownJob = wire.Layout{Name: "job"}

// WireLayout places the fields.
func (UnknownJob) WireLayout() *wire.Layout { return &unknownJob }

func (j *UnknownJob) job() (definition, error) {
	return nil, errors.New("a job of a kind that is not known cannot be submitted")
}

// Load reads a job of any kind from a file of `az ml` v2. All faults of the file come back at once, as
// azureml.Faults. set are overrides as of `az ml --set`: "resources.instance_count=2".
func Load(file string, set ...string) (Spec, error) {
	var spec Spec
	if err := loadFile(file, &spec, set); err != nil {
		return nil, err
	}
	return spec, nil
}

// LoadComponent reads a component of any kind from a file of `az ml` v2.
func LoadComponent(file string, set ...string) (Component, error) {
	var c Component
	if err := loadFile(file, &c, set); err != nil {
		return nil, err
	}
	return c, nil
}

// LoadSchedule reads a schedule from a file of `az ml` v2.
func LoadSchedule(file string, set ...string) (*Schedule, error) {
	s := new(Schedule)
	if err := loadFile(file, s, set); err != nil {
		return nil, err
	}
	return s, nil
}

// loadFile reads a file into a kind.
func loadFile(file string, into any, set []string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("jobs: load: %w", err)
	}
	o := &wire.LoadOptions{Private: os.Getenv(previewFeatures) == "true"}
	for _, s := range set {
		v, err := wire.ParseOverride(s)
		if err != nil {
			return fmt.Errorf("jobs: load %s: %w", file, err)
		}
		o.Set = append(o.Set, v)
	}
	if err := wire.LoadYAML(data, file, into, o); err != nil {
		return fmt.Errorf("jobs: load: %w", err)
	}
	return nil
}

// previewFeatures is the variable by which files may have what `az ml` still hides.
const previewFeatures = "AZURE_ML_CLI_PRIVATE_FEATURES_ENABLED"

// Dump writes a job as a file of `az ml` v2. What a builder has kept as faults is the error.
func Dump(s Spec) ([]byte, error) {
	if s == nil {
		return nil, errors.New("jobs: dump: there is no job")
	}
	d, err := s.job()
	if err != nil {
		return nil, fmt.Errorf("jobs: dump: %w", err)
	}
	return dump(d)
}

// DumpComponent writes a component as a file of `az ml` v2.
func DumpComponent(c Component) ([]byte, error) { return dump(c) }

// DumpSchedule writes a schedule as a file of `az ml` v2.
func DumpSchedule(s *Schedule) ([]byte, error) { return dump(s) }

func dump(v any) ([]byte, error) {
	text, err := wire.DumpYAML(v)
	if err != nil {
		return nil, fmt.Errorf("jobs: dump: %w", err)
	}
	return text, nil
}
