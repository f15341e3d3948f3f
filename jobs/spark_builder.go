package jobs

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/assets"
)

// SparkBuilder makes a SparkJob step by step. What is wrong is kept and comes out at Build, all of it; Submit reports it with
// what else is wrong.
type SparkBuilder struct {
	heading[SparkBuilder]
	j SparkJob
}

// Spark begins a job that runs a Spark application: a Python file in a folder here.
func Spark(folder, entry string) *SparkBuilder {
	b := &SparkBuilder{j: SparkJob{Code: Folder(folder), Entry: SparkEntry{File: entry}}}
	b.b, b.h, b.text = b, b.j.head(), &b.j.Description
	if folder == "" {
		b.fault("code", "the folder with the entry file is required")
	}
	return b
}

// Input adds an input. Spark reads its data itself: their mode is direct where none is set.
func (b *SparkBuilder) Input(name string, in Input) *SparkBuilder {
	if !in.IsLiteral() && in.Mode == "" {
		in.Mode = Direct
	}
	return b.heading.Input(name, in)
}

// Output adds an output. Spark writes it itself: its mode is direct where none is set.
func (b *SparkBuilder) Output(name string, out Output) *SparkBuilder {
	if out.Mode == "" {
		out.Mode = DirectOut
	}
	return b.heading.Output(name, out)
}

// Conf sets one of Spark's settings by its name, such as "spark.sql.shuffle.partitions".
func (b *SparkBuilder) Conf(key string, value any) *SparkBuilder {
	if key == "" {
		return b.fault("conf", "a setting has no name")
	}
	value = plainValue(value)
	if old, twice := b.j.Conf[key]; twice && !reflect.DeepEqual(old, value) {
		return b.fault("conf."+key, "is set twice, to %v and %v", old, value)
	}
	if b.j.Conf == nil {
		b.j.Conf = SparkConf{}
	}
	b.j.Conf[key] = value
	return b
}

func (b *SparkBuilder) machine(field, coresKey, memoryKey string, cores int, memory string) *SparkBuilder {
	if cores < 1 {
		b.fault(field, "%d cores are none", cores)
	}
	if memory == "" {
		b.fault(field, "the memory is required, such as \"2g\"")
	}
	return b.Conf(coresKey, cores).Conf(memoryKey, memory)
}

// Driver sets the driver's cores and memory, such as "2g". Required.
func (b *SparkBuilder) Driver(cores int, memory string) *SparkBuilder {
	return b.machine("conf.driver", sparkDriverCores, sparkDriverMemory, cores, memory)
}

// Executor sets the cores and memory of each executor. Required.
func (b *SparkBuilder) Executor(cores int, memory string) *SparkBuilder {
	return b.machine("conf.executor", sparkExecutorCores, sparkExecutorMemory, cores, memory)
}

// Executors sets the number of executors. It, or Dynamic, is required.
func (b *SparkBuilder) Executors(n int) *SparkBuilder {
	if n < 1 {
		return b.fault("conf."+sparkInstancesKey, "%d executors are none", n)
	}
	return b.Conf(sparkInstancesKey, n)
}

// Dynamic lets Spark choose the number of executors between two.
func (b *SparkBuilder) Dynamic(low, high int) *SparkBuilder {
	return b.Conf(sparkDynamic, true).Conf(sparkDynamicMin, low).Conf(sparkDynamicMax, high)
}

// Args are what follows the entry file. ${{inputs.x}} and ${{outputs.x}} stand for addresses.
func (b *SparkBuilder) Args(args string) *SparkBuilder {
	b.j.Args = args
	return b
}

func (b *SparkBuilder) list(field string, into *[]string, files []string) *SparkBuilder {
	for _, f := range files {
		if slices.Contains(*into, f) {
			b.fault(field, "%q stands in it twice", f)
		}
		*into = append(*into, f)
	}
	return b
}

// PyFiles adds files and archives to Python's path.
func (b *SparkBuilder) PyFiles(files ...string) *SparkBuilder {
	return b.list("py_files", &b.j.PyFiles, files)
}

// Jars adds Java archives to driver and executors.
func (b *SparkBuilder) Jars(files ...string) *SparkBuilder { return b.list("jars", &b.j.Jars, files) }

// Files are put into the working folder of each executor.
func (b *SparkBuilder) Files(files ...string) *SparkBuilder {
	return b.list("files", &b.j.Files, files)
}

// Archives are unpacked into the working folder of each executor.
func (b *SparkBuilder) Archives(files ...string) *SparkBuilder {
	return b.list("archives", &b.j.Archives, files)
}

// In sets the environment: a reference, or an *assets.Environment. Spark's own is enough for most.
func (b *SparkBuilder) In(environment assets.EnvironmentSource) *SparkBuilder {
	b.j.Environment = environment
	return b
}

// Serverless runs the job on serverless Spark, of an instance type such as "standard_e4s_v3" and a version such as "3.4".
// The other way is an attached pool: On.
func (b *SparkBuilder) Serverless(instanceType, runtimeVersion string) *SparkBuilder {
	b.j.Resources = &SparkResources{InstanceType: instanceType, RuntimeVersion: runtimeVersion}
	return b
}

// Build gives the job, or every fault that was met. It can be called again.
func (b *SparkBuilder) Build() (*SparkJob, error) {
	if b == nil {
		return nil, errors.New("jobs: the builder is nil")
	}
	j := b.copy()
	c := &checker{faults: slices.Clone(b.faults)}
	c.unfilled(j.Inputs)
	j.checkParts(c)
	if err := c.faults.Err(); err != nil {
		return nil, fmt.Errorf("jobs: build: %w", err)
	}
	return j, nil
}

func (b *SparkBuilder) copy() *SparkJob {
	j := b.j
	j.head().apart()
	j.Conf = maps.Clone(j.Conf)
	for _, l := range []*[]string{&j.PyFiles, &j.Jars, &j.Files, &j.Archives} {
		*l = slices.Clone(*l)
	}
	return &j
}

// partial gives the job as far as it has been made, with what was wrong.
func (b *SparkBuilder) partial() (definition, azureml.Faults) {
	if b == nil {
		return nil, nil
	}
	return b.copy(), slices.Clone(b.faults)
}

func (b *SparkBuilder) job() (definition, error) {
	j, err := b.Build()
	if err != nil {
		return nil, err
	}
	return j, nil
}
