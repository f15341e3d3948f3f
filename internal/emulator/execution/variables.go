package execution

import (
	"os"
	"runtime"
	"sort"
	"strconv"
	"strings"
)

// inherited are the variables of the owner that a job sees: what programs need
// to find programs, a home and a place for temporary files. Credentials are
// not among them.
var inherited = []string{"PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "TZ"}

var inheritedWindows = []string{"SystemRoot", "SystemDrive", "ComSpec", "PATHEXT", "TEMP", "TMP", "USERPROFILE", "LOCALAPPDATA", "APPDATA", "ProgramData", "ProgramFiles", "NUMBER_OF_PROCESSORS", "PROCESSOR_ARCHITECTURE"}

// secret is true of names that are never passed on, even when asked for.
func secret(name string) bool {
	n := strings.ToUpper(name)
	return strings.HasPrefix(n, "AZURE_") || strings.HasPrefix(n, "AZUREML_") || strings.HasPrefix(n, "ARM_") || strings.HasPrefix(n, "MLFLOW_TRACKING_")
}

// BaseEnv is the environment that a local process starts from.
func BaseEnv(pass []string) []string {
	names := append([]string(nil), inherited...)
	if runtime.GOOS == "windows" {
		names = append(names, inheritedWindows...)
	}
	names = append(names, pass...)
	var env []string
	seen := map[string]bool{}
	for _, n := range names {
		if v, ok := os.LookupEnv(n); ok && !seen[n] && !secret(n) {
			seen[n] = true
			env = append(env, n+"="+v)
		}
	}
	return env
}

// variables are those that Azure ML sets for a job, for this one.
func (j *job) variables(base, token string, expires int64, paths *paths) []string {
	sc, r := j.rec.Scope, j.rec
	v := map[string]string{
		"AZUREML_RUN_ID":                        r.Name,
		"AZUREML_ROOT_RUN_ID":                   r.Root,
		"AZUREML_EXPERIMENT_ID":                 r.ExperimentID,
		"AZUREML_EXPERIMENT_NAME":               j.experiment,
		"AZUREML_ARM_SUBSCRIPTION":              sc.Subscription,
		"AZUREML_ARM_RESOURCEGROUP":             sc.ResourceGroup,
		"AZUREML_ARM_WORKSPACE_NAME":            sc.Workspace,
		"AZUREML_ARM_PROJECT_NAME":              j.experiment,
		"AZUREML_WORKSPACE_ID":                  sc.WorkspaceID(),
		"AZUREML_WORKSPACE_SCOPE":               sc.ID(),
		"AZUREML_SERVICE_ENDPOINT":              base,
		"AZUREML_DISCOVERY_SERVICE_ENDPOINT":    base + "/discovery",
		"AZUREML_RUN_TOKEN":                     token,
		"AZUREML_RUN_TOKEN_EXPIRY":              strconv.FormatInt(expires, 10),
		"AZUREML_RUN_TOKEN_USE_AMBIENT_AUTH":    "false",
		"AZUREML_CR_EXECUTION_WORKING_DIR_PATH": paths.code,
		"AZUREML_LOGDIRECTORY_PATH":             paths.logs,
		"AZUREML_COMPUTE_USE_COMMON_RUNTIME":    "true",
		"AZ_BATCHAI_JOB_TEMP":                   paths.temp,
		// A program in a job opens its workspace by workspace.FromEnvironment.
		"AZUREML_DEV_URL_MFE":             base,
		"AZUREML_LOCAL_TOKEN":             token,
		"REGISTRY_DISCOVERY_ENDPOINT_URL": base + "/",
		"MLFLOW_TRACKING_URI":             base,
		"MLFLOW_TRACKING_TOKEN":           token,
		"MLFLOW_RUN_ID":                   r.Name,
		"MLFLOW_EXPERIMENT_ID":            r.ExperimentID,
		"MLFLOW_EXPERIMENT_NAME":          j.experiment,
		// Python holds output back when it is not written to a terminal, and a
		// log that is followed would stand still.
		"PYTHONUNBUFFERED": "1",
	}
	for name, val := range paths.values {
		if _, port, ok := strings.Cut(name, "."); ok {
			v["AZUREML_PARAMETER_"+port] = val
		}
		if in, ok := strings.CutPrefix(name, "inputs."); ok {
			v["AZURE_ML_INPUT_"+in] = val
			v["AZUREML_DATAREFERENCE_"+in] = val
		} else if out, ok := strings.CutPrefix(name, "outputs."); ok {
			v["AZURE_ML_OUTPUT_"+out] = val
			v["AZUREML_DATAREFERENCE_"+out] = val
		}
	}
	return pairs(v)
}

func pairs(v map[string]string) []string {
	out := make([]string, 0, len(v))
	for k, x := range v {
		out = append(out, k+"="+x)
	}
	sort.Strings(out)
	return out
}
