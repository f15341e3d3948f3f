package jobs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/internal/wire"
)

// SparkJob runs a Spark application.
type SparkJob struct {
	azureml.Meta
	Name        string            `yaml:"name" json:"name,ro"`
	DisplayName string            `yaml:"display_name" json:"displayName"`
	Experiment  string            `yaml:"experiment_name" json:"experimentName"`
	Description string            `yaml:"description,empty" json:"description"`
	Tags        map[string]string `yaml:"tags,null" json:"tags,keep"`
	Properties  map[string]any    `yaml:"properties" json:"properties,keep"`
	// Code holds the entry file. In a file it defaults to the file's folder. Required.
	Code Code `yaml:"code" json:"codeId"`
	// Entry is what is run. Required.
	Entry    SparkEntry `yaml:"entry,required" json:"entry"`
	PyFiles  []string   `yaml:"py_files" json:"pyFiles"`
	Jars     []string   `yaml:"jars" json:"jars"`
	Files    []string   `yaml:"files" json:"files"`
	Archives []string   `yaml:"archives" json:"archives"`
	// Conf are Spark's settings by their names, such as "spark.driver.cores". Those of the cores and memory of driver and
	// executors, and the number of executors, are required.
	Conf        SparkConf                `yaml:"conf" json:"conf"`
	Environment assets.EnvironmentSource `yaml:"environment,null" json:"environmentId"`
	// Args follow the entry file. ${{inputs.x}} and ${{outputs.x}} stand for addresses.
	Args    string  `yaml:"args,empty" json:"args"`
	Inputs  Inputs  `yaml:"inputs" json:"inputs,keep"`
	Outputs Outputs `yaml:"outputs" json:"outputs,keep"`
	// Compute is an attached Spark pool; Resources is serverless Spark. One of them is required.
	Compute   string           `yaml:"compute" json:"computeId"`
	Resources *SparkResources  `yaml:"resources" json:"resources"`
	Identity  azureml.Identity `yaml:"identity" json:"identity"`
	Services  Services         `yaml:"services" json:"-"`

	Status   Status            `yaml:"status,ro" json:"status,ro"`
	LogFiles map[string]string `yaml:"log_files,ro" json:"-"`

	doc wire.Document
}

var sparkJob = wire.Layout{
	Name: "Spark job",
	Base: "properties",
	At:   wire.Table{"name": "/name"},
	YAML: wire.Fixed{"type": "spark"},
	REST: wire.Fixed{"jobType": "Spark", "isArchived": false},
}

// WireLayout places the fields.
func (SparkJob) WireLayout() *wire.Layout { return &sparkJob }

// WireDocument is what the service answered.
func (j *SparkJob) WireDocument() *wire.Document { return &j.doc }

func (j *SparkJob) job() (definition, error) { return defined(j) }

func (j *SparkJob) jobType() string { return "Spark" }

func (j *SparkJob) head() head {
	return head{
		name: &j.Name, displayName: &j.DisplayName, experiment: &j.Experiment, compute: &j.Compute, tags: &j.Tags,
		identity: &j.Identity, inputs: &j.Inputs, outputs: &j.Outputs, properties: propertyMap[any]{&j.Properties, func(s string) any { return s }},
	}
}

func (j *SparkJob) clone() definition {
	c := *j
	return &c
}

// AfterDecodeWire takes the folder of the file where no code is named.
func (j *SparkJob) AfterDecodeWire(d *wire.Decoding, n *wire.Node) {
	anonymous(d, j.Environment)
	sparkImage(d, j.Environment)
	if d.Spelling() == wire.YAML && n.Get("code") == nil && n.Dir() != "" {
		j.Code = Folder(n.LocalPath("."))
	}
	for field, list := range map[string][]string{"py_files": j.PyFiles, "jars": j.Jars, "files": j.Files, "archives": j.Archives} {
		for i, f := range list {
			if slices.Contains(list[:i], f) {
				d.At(field).Fault(n.Get(field), "%q stands in it twice", f)
			}
		}
	}
}

// sparkImage gives an environment of conda packages alone the image that the service wants named.
func sparkImage(d *wire.Decoding, e assets.EnvironmentSource) {
	if def, ok := e.(*assets.Environment); ok && def != nil && d.Spelling() == wire.YAML && def.Image == "" && def.Build == nil {
		def.Image = "conda/miniconda3"
	}
}

// SparkEntry is what a Spark job runs: a Python file in the code, or a Java class.
type SparkEntry struct {
	File      string
	ClassName string
}

// EncodeWire writes either form.
func (s SparkEntry) EncodeWire(e *wire.Encoding) (any, error) {
	text := e.Spelling() == wire.YAML || e.Spelling() == wire.Spec
	key, kind, value := "file", "SparkJobPythonEntry", s.File
	if s.ClassName != "" {
		key, kind, value = "class_name", "SparkJobScalaEntry", s.ClassName
		if !text {
			key = e.Key("className")
		}
	}
	if value == "" {
		return wire.Omit, nil
	}
	if text {
		return map[string]any{key: value}, nil
	}
	return e.Tag(map[string]any{e.Key("sparkJobEntryType"): kind, key: value}, e.Key("sparkJobEntryType")), nil
}

// DecodeWire reads either form.
func (s *SparkEntry) DecodeWire(d *wire.Decoding, n *wire.Node) {
	*s = SparkEntry{}
	if n.Kind != wire.Mapping {
		d.Fault(n, "wants a mapping with file")
		return
	}
	for _, e := range n.Entries {
		at := d.At(e.Key)
		switch wire.SnakeCase(e.Key) {
		case "file":
			s.File, _ = at.Text(e.Value)
		case "class_name":
			s.ClassName, _ = at.Text(e.Value)
		case "spark_job_entry_type":
		default:
			at.Fault(e.At, "unknown field; an entry has file")
		}
	}
	if s.File == "" && s.ClassName == "" {
		d.Fault(n, "the required field %q is missing", "file")
	}
}

// sparkEntry checks that the entry file is in the code, where that is a folder here.
func (c *checker) sparkEntry(code Code, entry SparkEntry, includes Includes) {
	if code.Path == "" || entry.File == "" || c.bare || len(includes) > 0 {
		return
	}
	if info, err := os.Stat(code.Path); err != nil || !info.IsDir() {
		return // which has its own fault
	}
	path := entry.File
	if !filepath.IsAbs(path) {
		path = filepath.Join(code.Path, filepath.FromSlash(path))
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		c.add("entry.file", "there is no file %s in the code %s", entry.File, code.Path)
	}
}

func (s SparkEntry) fault() string {
	switch {
	case s.ClassName != "":
		return "a class is not supported by the service; give the entry file"
	case s.File == "":
		return "the entry file is required"
	}
	return ""
}

// SparkResources are the machines of serverless Spark.
type SparkResources struct {
	// InstanceType is one of standard_e4s_v3, e8s, e16s, e32s and e64s.
	InstanceType string `yaml:"instance_type" json:"instanceType"`
	// RuntimeVersion is Spark's: "3.4".
	RuntimeVersion string `yaml:"runtime_version,text" json:"runtimeVersion"`
}

var (
	sparkInstances = []string{"standard_e4s_v3", "standard_e8s_v3", "standard_e16s_v3", "standard_e32s_v3", "standard_e64s_v3"}
	numberVersion  = regexp.MustCompile(`^\d+(\.\d+)*$`)
)

func (r *SparkResources) fault() string {
	switch {
	case !slices.Contains(sparkInstances, strings.ToLower(r.InstanceType)):
		return fmt.Sprintf("the instance type %q is none of %s", r.InstanceType, strings.Join(sparkInstances, ", "))
	case r.RuntimeVersion != "" && !numberVersion.MatchString(r.RuntimeVersion):
		return fmt.Sprintf("the runtime version %q is not written as numbers and points, such as 3.4", r.RuntimeVersion)
	}
	return ""
}

// The settings that every Spark job needs.
const (
	sparkDriverCores    = "spark.driver.cores"
	sparkDriverMemory   = "spark.driver.memory"
	sparkExecutorCores  = "spark.executor.cores"
	sparkExecutorMemory = "spark.executor.memory"
	sparkInstancesKey   = "spark.executor.instances"
	sparkDynamic        = "spark.dynamicAllocation.enabled"
	sparkDynamicMin     = "spark.dynamicAllocation.minExecutors"
	sparkDynamicMax     = "spark.dynamicAllocation.maxExecutors"
)

// SparkConf are Spark's settings. Values are text, numbers or booleans.
type SparkConf map[string]any

// dynamic tells whether Spark chooses the number of executors.
func (c SparkConf) dynamic() bool {
	switch c[sparkDynamic] {
	case true, "True", "true":
		return true
	}
	return false
}

// settled is what is sent: the number of executors where it follows from the others, and nothing of a dynamic allocation
// that is off.
func (c SparkConf) settled() SparkConf {
	out := maps.Clone(c)
	for k, v := range out {
		if v == nil {
			delete(out, k)
		}
	}
	if c.dynamic() {
		out[sparkDynamic] = true
		if out[sparkInstancesKey] == nil {
			out[sparkInstancesKey] = out[sparkDynamicMin]
		}
	} else {
		delete(out, sparkDynamic)
	}
	return out
}

// EncodeWire writes text values in a job's REST, and the values as they are elsewhere.
func (c SparkConf) EncodeWire(e *wire.Encoding) (any, error) {
	if len(c) == 0 {
		return wire.Omit, nil
	}
	if e.Spelling() != wire.REST {
		return e.Value(map[string]any(c))
	}
	m := map[string]any{}
	for k, v := range c.settled() {
		m[k] = wire.PythonStr(plainValue(v))
	}
	return m, nil
}

// DecodeWire reads a mapping.
func (c *SparkConf) DecodeWire(d *wire.Decoding, n *wire.Node) {
	if !n.IsNull() {
		d.Into(n, (*map[string]any)(c))
	}
}

// faults says what is missing or contradicts itself.
func (c SparkConf) faults() (out []string) {
	number := func(key string) (int, bool) {
		n, err := strconv.Atoi(wire.PythonStr(plainValue(c[key])))
		return n, err == nil
	}
	needed := []string{sparkDriverCores, sparkDriverMemory, sparkExecutorCores, sparkExecutorMemory}
	if c.dynamic() {
		needed = append(needed, sparkDynamicMin, sparkDynamicMax)
	} else {
		needed = append(needed, sparkInstancesKey)
	}
	for _, k := range needed {
		if c[k] == nil {
			out = append(out, k+" is required")
		}
	}
	if !c.dynamic() {
		for _, k := range []string{sparkDynamicMin, sparkDynamicMax} {
			if c[k] != nil {
				out = append(out, k+" has a meaning only with "+sparkDynamic)
			}
		}
		return out
	}
	low, ok1 := number(sparkDynamicMin)
	high, ok2 := number(sparkDynamicMax)
	if !ok1 || !ok2 {
		return out
	}
	if low <= 0 || low > high {
		out = append(out, fmt.Sprintf("%s (%d) is above 0 and at most %s (%d)", sparkDynamicMin, low, sparkDynamicMax, high))
	}
	if n, ok := number(sparkInstancesKey); ok && n != 0 && (n < low || n > high) {
		out = append(out, fmt.Sprintf("%s (%d) is between %d and %d, the bounds of the dynamic allocation", sparkInstancesKey, n, low, high))
	}
	return out
}

func (j *SparkJob) check(ctx context.Context, c *checker) {
	c.head(j.head())
	if j.Code.IsZero() {
		c.add("code", "the folder with the entry file is required")
	} else {
		c.code(ctx, "code", j.Code)
	}
	c.sparkEntry(j.Code, j.Entry, nil)
	j.checkParts(c)
	c.compute(ctx, "compute", j.Compute)
}

// checkParts checks what neither a folder here nor the service is asked for.
func (j *SparkJob) checkParts(c *checker) {
	if f := j.Entry.fault(); f != "" {
		c.add("entry", "%s", f)
	}
	if j.Code.Go != nil {
		c.add("code", "Spark runs a Python file, not a Go program")
	}
	for _, f := range j.Conf.faults() {
		c.add("conf", "%s", f)
	}
	switch {
	case j.Compute == "" && j.Resources == nil:
		c.add("compute", "an attached Spark pool, or resources for serverless Spark, is required")
	case j.Compute != "" && j.Resources != nil:
		c.add("compute", "either a compute or resources, not both")
	}
	if j.Resources != nil {
		if f := j.Resources.fault(); f != "" {
			c.add("resources", "%s", f)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(j.Inputs)) {
		if in := j.Inputs[name]; !in.IsLiteral() && in.Mode != Direct {
			c.add("inputs."+name+".mode", "Spark reads its inputs itself: the mode is direct, not %q", in.Mode)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(j.Outputs)) {
		if out := j.Outputs[name]; name != DefaultOutput && out.Mode != DirectOut {
			c.add("outputs."+name+".mode", "Spark writes its outputs itself: the mode is direct, not %q", out.Mode)
		}
	}
	c.references("args", j.Args, j.Inputs, j.Outputs, nil)
}

func (j *SparkJob) resolve(ctx context.Context, r *resolver) (err error) {
	if j.Environment, err = r.environment(ctx, "environment", j.Environment); err != nil {
		return err
	}
	if j.Inputs, err = r.references(ctx, j.Inputs); err != nil {
		return err
	}
	if j.Environment, err = r.register(ctx, "environment", j.Environment); err != nil {
		return err
	}
	if j.Code, err = r.sendCode(ctx, "code", j.Code); err != nil {
		return err
	}
	if j.Inputs, err = r.uploads(ctx, j.Inputs); err != nil {
		return err
	}
	// What the service does not accept as missing: attached pools act as the workspace, serverless Spark as the user.
	if i := j.Identity; i.Managed == nil && i.AMLToken == nil && i.User == nil && i.Other == nil {
		if j.Compute != "" {
			j.Identity.Managed = &azureml.ManagedIdentity{}
		} else {
			j.Identity.User = &azureml.UserIdentity{}
		}
	}
	j.Compute = r.compute(j.Compute)
	return nil
}
