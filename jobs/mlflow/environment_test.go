package mlflow

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// clearEnvironment takes away what the machine's own variables and home would say.
func clearEnvironment(t *testing.T) string {
	t.Helper()
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		if strings.HasPrefix(name, "MLFLOW_") || strings.HasPrefix(name, "AZUREML_") || strings.HasPrefix(name, "DATABRICKS_") {
			t.Setenv(name, "")
		}
	}
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	return home
}

func TestFromEnvironment(t *testing.T) {
	type want struct{ base, auth, fault string }
	for name, row := range map[string]struct {
		env   map[string]string
		files map[string]string
		want  want
	}{
		"nothing": {want: want{fault: "MLFLOW_TRACKING_URI is not set"}},
		"open server": {
			env:  map[string]string{"MLFLOW_TRACKING_URI": "http://server:5000/prefix/"},
			want: want{base: "http://server:5000/prefix"},
		},
		"basic": {
			env:  map[string]string{"MLFLOW_TRACKING_URI": "https://server", "MLFLOW_TRACKING_USERNAME": "u", "MLFLOW_TRACKING_PASSWORD": "p", "MLFLOW_TRACKING_TOKEN": "t"},
			want: want{base: "https://server", auth: "Basic dTpw"},
		},
		"bearer": {
			env:  map[string]string{"MLFLOW_TRACKING_URI": "https://server", "MLFLOW_TRACKING_USERNAME": "u", "MLFLOW_TRACKING_TOKEN": "t"},
			want: want{base: "https://server", auth: "Bearer t"},
		},
		"file": {
			env:   map[string]string{"MLFLOW_TRACKING_URI": "https://server"},
			files: map[string]string{".mlflow/credentials": "# mine\n[mlflow]\nmlflow_tracking_username = u\nMLFLOW_TRACKING_PASSWORD=p\n[other]\n"},
			want:  want{base: "https://server", auth: "Basic dTpw"},
		},
		"a job's token before the file": {
			env:   map[string]string{"MLFLOW_TRACKING_URI": "http://127.0.0.1:4", "MLFLOW_TRACKING_TOKEN": "job"},
			files: map[string]string{".mlflow/credentials": "[mlflow]\nmlflow_tracking_username=u\nmlflow_tracking_password=p\n"},
			want:  want{base: "http://127.0.0.1:4", auth: "Bearer job"},
		},
		"job": {
			env:  map[string]string{"MLFLOW_TRACKING_URI": workspaceURI + "?", "MLFLOW_TRACKING_TOKEN": "job"},
			want: want{base: "https://eastus.api.azureml.ms/mlflow/v2.0" + azureScope, auth: "Bearer job"},
		},
		"run token": {
			env:  map[string]string{"MLFLOW_TRACKING_URI": workspaceURI, "AZUREML_RUN_TOKEN": "run"},
			want: want{base: "https://eastus.api.azureml.ms/mlflow/v2.0" + azureScope, auth: "Bearer run"},
		},
		"composed": {
			env: map[string]string{
				"AZUREML_ARM_SUBSCRIPTION": "s", "AZUREML_ARM_RESOURCEGROUP": "g", "AZUREML_ARM_WORKSPACE_NAME": "w",
				"AZUREML_SERVICE_ENDPOINT": "https://westus.api.azureml.ms/", "MLFLOW_TRACKING_TOKEN": "t",
			},
			want: want{base: "https://westus.api.azureml.ms/mlflow/v2.0" + azureScope, auth: "Bearer t"},
		},
		"composed elsewhere": {
			env: map[string]string{
				"AZUREML_ARM_SUBSCRIPTION": "s", "AZUREML_ARM_RESOURCEGROUP": "g", "AZUREML_ARM_WORKSPACE_NAME": "w",
				"AZUREML_SERVICE_ENDPOINT": "https://westus.api.azureml.ms", "AZUREML_DEV_URL_MLFLOW": "127.0.0.1:9", "MLFLOW_TRACKING_TOKEN": "t",
			},
			want: want{base: "http://127.0.0.1:9/mlflow/v2.0" + azureScope, auth: "Bearer t"},
		},
		"workspace without credential": {
			env:  map[string]string{"MLFLOW_TRACKING_URI": workspaceURI},
			want: want{fault: "wants a credential"},
		},
		"databricks": {
			env:  map[string]string{"MLFLOW_TRACKING_URI": "databricks", "DATABRICKS_HOST": "https://adb-1.azuredatabricks.net/", "DATABRICKS_TOKEN": "d"},
			want: want{base: "https://adb-1.azuredatabricks.net", auth: "Bearer d"},
		},
		"databricks host": {
			env:  map[string]string{"MLFLOW_TRACKING_URI": "databricks://adb-1.azuredatabricks.net", "DATABRICKS_TOKEN": "d"},
			want: want{base: "https://adb-1.azuredatabricks.net", auth: "Bearer d"},
		},
		"databricks profile": {
			env:   map[string]string{"MLFLOW_TRACKING_URI": "databricks://Mine"},
			files: map[string]string{".databrickscfg": "[DEFAULT]\nhost=https://x\n[mine]\nhost = https://adb-2.azuredatabricks.net\ntoken = k\n"},
			want:  want{base: "https://adb-2.azuredatabricks.net", auth: "Bearer k"},
		},
		"databricks unknown": {env: map[string]string{"MLFLOW_TRACKING_URI": "databricks"}, want: want{fault: "DATABRICKS_HOST"}},
		"sqlite":             {env: map[string]string{"MLFLOW_TRACKING_URI": "sqlite:///mlflow.db"}, want: want{fault: "mlflow server"}},
		"plug-in":            {env: map[string]string{"MLFLOW_TRACKING_URI": "http://s", "MLFLOW_TRACKING_AUTH": "kerberos"}, want: want{fault: "kerberos"}},
		"sigv4":              {env: map[string]string{"MLFLOW_TRACKING_URI": "http://s", "MLFLOW_TRACKING_AWS_SIGV4": "true"}, want: want{fault: "SIGV4"}},
		"too many retries":   {env: map[string]string{"MLFLOW_TRACKING_URI": "http://s", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "11"}, want: want{fault: "from 0 to 10"}},
		"both TLS":           {env: map[string]string{"MLFLOW_TRACKING_URI": "http://s", "MLFLOW_TRACKING_INSECURE_TLS": "true", "MLFLOW_TRACKING_SERVER_CERT_PATH": "x"}, want: want{fault: "exclude"}},
		"odd boolean":        {env: map[string]string{"MLFLOW_TRACKING_URI": "http://s", "MLFLOW_TRACKING_INSECURE_TLS": "yes"}, want: want{fault: "MLFLOW_TRACKING_INSECURE_TLS"}},
	} {
		t.Run(name, func(t *testing.T) {
			home := clearEnvironment(t)
			for k, v := range row.env {
				t.Setenv(k, v)
			}
			for p, text := range row.files {
				p = filepath.Join(home, filepath.FromSlash(p))
				require.NoError(t, os.MkdirAll(filepath.Dir(p), 0o777))
				require.NoError(t, os.WriteFile(p, []byte(text), 0o600))
			}
			c, err := FromEnvironment(t.Context())
			if row.want.fault != "" {
				require.ErrorContains(t, err, row.want.fault)
				return
			}
			require.NoError(t, err)
			defer c.Close()
			require.Equal(t, row.want.base, c.tracking.base)
			auth := ""
			if c.auth != nil {
				req, err := http.NewRequest("GET", c.tracking.base, nil)
				require.NoError(t, err)
				require.NoError(t, c.auth.authorize(t.Context(), req))
				auth = req.Header.Get("Authorization")
			}
			require.Equal(t, row.want.auth, auth)
		})
	}
}

func TestEnvironmentRetries(t *testing.T) {
	clearEnvironment(t)
	for k, v := range map[string]string{
		"MLFLOW_TRACKING_URI": "http://s", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "0.5",
		"MLFLOW_HTTP_REQUEST_BACKOFF_JITTER": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": "7", "MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER": "false",
		"MLFLOW_TRUNCATE_LONG_VALUES": "false", "AZUREML_RUN_ID": "own", "MLFLOW_EXPERIMENT_NAME": "e",
	} {
		t.Setenv(k, v)
	}
	c, err := FromEnvironment(t.Context())
	require.NoError(t, err)
	require.Equal(t, Retry{Max: 0, Backoff: 500 * time.Millisecond, Jitter: 0, Timeout: 7 * time.Second, IgnoreRetryAfter: true}, c.retries)
	require.True(t, c.keepLong)
	require.Equal(t, "own", c.ownRun)
	require.Empty(t, c.env.runID, "a server that is not Azure's knows nothing of its runs")
	_, err = c.fit("tag", "k", strings.Repeat("x", 8001), maxTagValue)
	require.ErrorContains(t, err, "longer than 8000")
	require.NoError(t, c.Close())
}

func TestTargets(t *testing.T) {
	for uri, want := range map[string]target{
		"http://h:1/p/": {uri: "http://h:1/p", base: "http://h:1/p", kind: server},
		workspaceURI:    {uri: workspaceURI, base: "https://eastus.api.azureml.ms/mlflow/v2.0" + azureScope, kind: azure, host: "https://eastus.api.azureml.ms", scope: azureScope},
		strings.Replace(workspaceURI, "azureml://eastus.api.azureml.ms", "azureml://localhost:7", 1): {uri: strings.Replace(workspaceURI, "eastus.api.azureml.ms", "localhost:7", 1), base: "http://localhost:7/mlflow/v2.0" + azureScope, kind: azure, host: "http://localhost:7", scope: azureScope},
		"https://h/mlflow/v1.0/subscriptions/s/workspaces/w":                                         {uri: "https://h/mlflow/v1.0/subscriptions/s/workspaces/w", base: "https://h/mlflow/v2.0/subscriptions/s/workspaces/w", kind: azure, host: "https://h", scope: "/subscriptions/s/workspaces/w"},
		"azureml://h/mlflow/v1.0/subscriptions/s/registries/r":                                       {uri: "azureml://h/mlflow/v1.0/subscriptions/s/registries/r", base: "https://h/mlflow/v2.0/subscriptions/s/registries/r", kind: registry, host: "https://h", scope: "/subscriptions/s/registries/r"},
		"databricks://adb-1.azuredatabricks.net":                                                     {uri: "databricks://adb-1.azuredatabricks.net", base: "https://adb-1.azuredatabricks.net", kind: databricks},
	} {
		got, err := parseTarget(uri)
		require.NoError(t, err, uri)
		require.Equal(t, want, *got)
	}
	for _, uri := range []string{"", "databricks", "http://", "azureml://h", "azureml://h/mlflow/v1.0/x", "file:///x", "./mlruns", "http://u:secret@h", "http://[::1", "ht tp://x"} {
		_, err := parseTarget(uri)
		require.Error(t, err, uri)
		require.NotContains(t, err.Error(), "secret")
	}
	c := open(t, "azureml://h/mlflow/v1.0/subscriptions/s/registries/r", Options{Token: "t"})
	_, err := c.Runs.Get(t.Context(), "x")
	require.ErrorContains(t, err, "is a registry")
}

func FuzzTarget(f *testing.F) {
	for _, s := range []string{workspaceURI, "http://h:1/p", "databricks://x.y", "azureml://[::1]:1/mlflow/v2.0/subscriptions/a", "http://u:p@h", "%"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		got, err := parseTarget(uri)
		if err != nil {
			return
		}
		again, err := parseTarget(got.uri)
		require.NoError(t, err)
		require.Equal(t, got, again)
		require.NotEmpty(t, got.authority())
	})
}

func FuzzModelURI(f *testing.F) {
	for _, s := range []string{"models:/a/1", "models:/a@b", "models:/m-1", "models:/a/latest", "models://a/Production", "models:/a/b/c", "runs:/x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := ParseModelURI(s)
		if err != nil {
			return
		}
		require.True(t, (u.ModelID != "") != (u.Name != ""), "%+v", u)
		n := 0
		for _, v := range []string{u.Version, u.Stage, u.Alias} {
			if v != "" {
				n++
			}
		}
		require.Equal(t, u.Name != "", n == 1, "%+v", u)
	})
}

// However a batch is cut, each part fits the server and nothing is lost or turned round.
func TestSplitBatchProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		long := rapid.SampledFrom([]int{1, 1, 100, 6000}).Draw(t, "length")
		pairs := func(what string, limit int) []pair {
			out := make([]pair, rapid.IntRange(0, limit).Draw(t, what))
			for i := range out {
				out[i] = pair{what + seconds(i), strings.Repeat("\u2603", long)}
			}
			return out
		}
		params, tags := pairs("p", 250), pairs("t", 250)
		metrics := make([]Metric, rapid.IntRange(0, 3000).Draw(t, "metrics"))
		for i := range metrics {
			metrics[i] = Metric{Key: "k", Step: int64(i), Time: time.UnixMilli(1)}
		}
		var gotMetrics []Metric
		var gotParams, gotTags []pair
		for _, body := range splitBatch("run", metrics, params, tags) {
			require.LessOrEqual(t, len(body), maxBatchBody)
			var in struct {
				Metrics []Metric `json:"metrics"`
				Params  []pair   `json:"params"`
				Tags    []pair   `json:"tags"`
			}
			require.NoError(t, unmarshal(body, &in))
			require.LessOrEqual(t, len(in.Params), 100)
			require.LessOrEqual(t, len(in.Tags), 100)
			require.LessOrEqual(t, len(in.Metrics)+len(in.Params)+len(in.Tags), 1000)
			gotMetrics, gotParams, gotTags = append(gotMetrics, in.Metrics...), append(gotParams, in.Params...), append(gotTags, in.Tags...)
		}
		require.Len(t, gotMetrics, len(metrics))
		for i, m := range gotMetrics {
			require.Equal(t, int64(i), m.Step)
		}
		require.ElementsMatch(t, params, gotParams)
		require.ElementsMatch(t, tags, gotTags)
	})
}
