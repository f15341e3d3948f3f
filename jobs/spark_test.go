package jobs

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
)

func TestSpark(t *testing.T) {
	j := load(t, `
type: spark
code: azureml:c:1
entry: {file: run.py}
py_files: [lib/Value.py]
jars: []
conf: {spark.driver.cores: 1, spark.driver.memory: 2g, spark.executor.cores: 2, spark.executor.memory: 2g, spark.dynamicAllocation.enabled: true, spark.dynamicAllocation.minExecutors: 1, spark.dynamicAllocation.maxExecutors: 3, spark.x: 0.5}
args: --rows ${{inputs.rows}}
inputs: {rows: {type: uri_file, path: "azureml://datastores/d/paths/r.csv", mode: direct}}
resources: {instance_type: Standard_E4S_V3, runtime_version: 3.4}
properties: {a: 1}
`)
	require.JSONEq(t, `{"properties": {"jobType": "Spark", "isArchived": false, "tags": {}, "properties": {"a": 1}, "outputs": {}, "codeId": "azureml:c:1",
		"entry": {"sparkJobEntryType": "SparkJobPythonEntry", "file": "run.py"}, "pyFiles": ["lib/Value.py"], "jars": [], "args": "--rows ${{inputs.rows}}",
		"conf": {"spark.driver.cores": "1", "spark.driver.memory": "2g", "spark.executor.cores": "2", "spark.executor.memory": "2g", "spark.dynamicAllocation.enabled": "True",
			"spark.dynamicAllocation.minExecutors": "1", "spark.dynamicAllocation.maxExecutors": "3", "spark.executor.instances": "1", "spark.x": "0.5"},
		"inputs": {"rows": {"jobInputType": "uri_file", "uri": "azureml://datastores/d/paths/r.csv", "mode": "Direct"}},
		"resources": {"instanceType": "Standard_E4S_V3", "runtimeVersion": "3.4"}}}`, toJSON(t, j))
	text, err := Dump(j)
	require.NoError(t, err)
	require.Equal(t, j, load(t, string(text)), string(text))
	c := &checker{}
	j.(*SparkJob).check(t.Context(), c)
	require.NoError(t, c.faults.Err())

	var back Spec
	require.NoError(t, wire.FromREST([]byte(toJSON(t, j)), &back))
	require.JSONEq(t, toJSON(t, j), toJSON(t, back))
}

func TestSparkChecks(t *testing.T) {
	j := &SparkJob{
		Entry: SparkEntry{ClassName: "x"}, Conf: SparkConf{"spark.driver.cores": 1, "spark.dynamicAllocation.minExecutors": 1}, Compute: "c", Resources: &SparkResources{InstanceType: "big"},
		Inputs: Inputs{"a": URIFile("azureml:a:1"), "b": Literal(1)}, Outputs: Outputs{"o": {}, "default": {}}, Args: "${{inputs.none}}", Environment: azureml.Ref("azureml:e:1"),
	}
	c := &checker{}
	j.check(t.Context(), c)
	var fields []string
	for _, f := range c.faults {
		fields = append(fields, f.Field)
	}
	require.Equal(t, []string{"code", "entry", "conf", "conf", "conf", "conf", "conf", "compute", "resources", "inputs.a.mode", "outputs.o.mode", "args"}, fields)

	require.Equal(t, []string{"spark.dynamicAllocation.minExecutors (3) is above 0 and at most spark.dynamicAllocation.maxExecutors (2)", "spark.executor.instances (9) is between 3 and 2, the bounds of the dynamic allocation"},
		SparkConf{"spark.driver.cores": 1, "spark.driver.memory": "1g", "spark.executor.cores": 1, "spark.executor.memory": "1g", "spark.dynamicAllocation.enabled": "true",
			"spark.dynamicAllocation.minExecutors": 3, "spark.dynamicAllocation.maxExecutors": 2, "spark.executor.instances": 9}.faults())
}
