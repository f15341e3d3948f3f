package mlflow

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// environment is what a job's variables say beyond the connection.
type environment struct {
	runID, experimentID, experimentName string
	systemMetrics                       bool
	systemInterval                      time.Duration
	systemSamples                       int
	systemNode                          string
}

// FromEnvironment makes a client of MLflow's and Azure Machine Learning's variables, as they are inside a
// job: MLFLOW_TRACKING_URI (else the workspace of AZUREML_ARM_*), MLFLOW_REGISTRY_URI,
// MLFLOW_TRACKING_USERNAME and _PASSWORD (else ~/.mlflow/credentials), MLFLOW_TRACKING_TOKEN,
// _INSECURE_TLS, _SERVER_CERT_PATH, _CLIENT_CERT_PATH, MLFLOW_HTTP_REQUEST_*, MLFLOW_RUN_ID,
// MLFLOW_EXPERIMENT_ID and _NAME. A job's token is renewed until ctx ends or the client is closed.
//
// Options, at most one, are what the variables do not say; a variable fills only a field that is unset.
// Outside a job an azureml URI needs Options.Credential.
func FromEnvironment(ctx context.Context, options ...*Options) (*Client, error) {
	o := Options{}
	if len(options) > 0 && options[0] != nil {
		o = *options[0]
	}
	uri, err := environmentURI(&o)
	if err != nil {
		return nil, err
	}
	if o.RegistryURI == "" {
		o.RegistryURI = os.Getenv("MLFLOW_REGISTRY_URI")
	}
	if err := errors.Join(environmentTLS(&o), environmentRetry(&o.Retry), environmentPlugins()); err != nil {
		return nil, err
	}
	if o.OwnRun == "" {
		o.OwnRun = os.Getenv("AZUREML_RUN_ID")
	}
	if v, ok, err := envBool("MLFLOW_TRUNCATE_LONG_VALUES"); err != nil {
		return nil, err
	} else if ok && !v {
		o.RejectLongValues = true
	}
	t, err := parseTarget(uri)
	if err != nil {
		return nil, err
	}
	env, err := readEnvironment(t.kind)
	if err != nil {
		return nil, err
	}
	given := o.Credential != nil || o.Token != "" || o.Username != ""
	if !given {
		o.Token = os.Getenv("MLFLOW_TRACKING_TOKEN")
		if t.kind == azure || t.kind == registry {
			if o.Token == "" {
				o.Token = os.Getenv("AZUREML_RUN_TOKEN")
			}
		} else if err := environmentPassword(&o); err != nil {
			return nil, err
		}
	}
	if (t.kind == azure || t.kind == registry) && o.Token == "" && o.Credential == nil {
		return nil, fmt.Errorf("mlflow: FromEnvironment: %s wants a credential: inside a job it is MLFLOW_TRACKING_TOKEN; elsewhere give Options.Credential, for instance azidentity.NewDefaultAzureCredential", redactURI(uri))
	}
	c, err := New(uri, &o)
	if err != nil {
		return nil, err
	}
	c.env = env
	if !given && t.kind == azure && o.Token != "" {
		c.renewRunToken(ctx, o.Token)
	}
	return c, nil
}

func readEnvironment(k kind) (environment, error) {
	env := environment{
		runID:          os.Getenv("MLFLOW_RUN_ID"),
		experimentID:   os.Getenv("MLFLOW_EXPERIMENT_ID"),
		experimentName: os.Getenv("MLFLOW_EXPERIMENT_NAME"),
		systemNode:     os.Getenv("MLFLOW_SYSTEM_METRICS_NODE_ID"),
	}
	if k == azure { // another server knows nothing of these
		for value, name := range map[*string]string{&env.runID: "AZUREML_RUN_ID", &env.experimentID: "AZUREML_EXPERIMENT_ID", &env.experimentName: "AZUREML_ARM_PROJECT_NAME"} {
			if *value == "" {
				*value = os.Getenv(name)
			}
		}
	}
	var err, fault error
	if env.systemMetrics, _, err = envBool("MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING"); err != nil {
		fault = errors.Join(fault, err)
	}
	seconds, _, err := envFloat("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", 0, 86400)
	env.systemInterval = time.Duration(seconds * float64(time.Second))
	fault = errors.Join(fault, err)
	samples, _, err := envFloat("MLFLOW_SYSTEM_METRICS_SAMPLES_BEFORE_LOGGING", 0, 1e6)
	env.systemSamples = int(samples)
	return env, errors.Join(fault, err)
}

// environmentURI is the tracking URI, composed of the workspace when it is not given.
func environmentURI(o *Options) (string, error) {
	uri := os.Getenv("MLFLOW_TRACKING_URI")
	if uri == "databricks" || strings.HasPrefix(uri, "databricks://") {
		return databricksURI(uri, o)
	}
	if uri != "" {
		return uri, nil
	}
	sub, group, ws := os.Getenv("AZUREML_ARM_SUBSCRIPTION"), os.Getenv("AZUREML_ARM_RESOURCEGROUP"), os.Getenv("AZUREML_ARM_WORKSPACE_NAME")
	host := os.Getenv("AZUREML_DEV_URL_MLFLOW")
	if host == "" {
		host = os.Getenv("AZUREML_SERVICE_ENDPOINT")
	}
	if sub == "" || group == "" || ws == "" || host == "" {
		return "", errors.New("mlflow: FromEnvironment: MLFLOW_TRACKING_URI is not set, nor are AZUREML_ARM_SUBSCRIPTION, _RESOURCEGROUP, _WORKSPACE_NAME and AZUREML_SERVICE_ENDPOINT that name a workspace; outside a job use mlflow.New, or the workspace's Tracking")
	}
	if i := strings.Index(host, "://"); i >= 0 {
		host = host[i+3:]
	}
	return fmt.Sprintf("azureml://%s/mlflow/v1.0/subscriptions/%s/resourceGroups/%s/providers/Microsoft.MachineLearningServices/workspaces/%s", strings.TrimRight(host, "/"), sub, group, ws), nil
}

// databricksURI finds host and token: DATABRICKS_HOST and DATABRICKS_TOKEN, or a profile of
// ~/.databrickscfg.
func databricksURI(uri string, o *Options) (string, error) {
	name := strings.TrimPrefix(strings.TrimPrefix(uri, "databricks"), "://")
	if strings.Contains(name, ".") {
		if o.Token == "" {
			o.Token = os.Getenv("DATABRICKS_TOKEN")
		}
		return uri, nil
	}
	host, token := os.Getenv("DATABRICKS_HOST"), os.Getenv("DATABRICKS_TOKEN")
	if name != "" || host == "" {
		if name == "" {
			if name = os.Getenv("DATABRICKS_CONFIG_PROFILE"); name == "" {
				name = "DEFAULT"
			}
		}
		path := os.Getenv("DATABRICKS_CONFIG_FILE")
		if path == "" {
			home, err := os.UserHomeDir()
			if err != nil {
				return "", fmt.Errorf("mlflow: FromEnvironment: %s: %w", uri, err)
			}
			path = filepath.Join(home, ".databrickscfg")
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return "", fmt.Errorf("mlflow: FromEnvironment: %s: set DATABRICKS_HOST and DATABRICKS_TOKEN, or give a profile: %w", uri, err)
		}
		section := parseINI(string(text))[strings.ToLower(name)]
		host, token = section["host"], section["token"]
		if host == "" || token == "" {
			return "", fmt.Errorf("mlflow: FromEnvironment: profile %q of %s has no host and token", name, path)
		}
	}
	if o.Token == "" && o.Credential == nil {
		o.Token = token
	}
	host = strings.TrimRight(strings.TrimPrefix(host, "https://"), "/")
	return "databricks://" + host, nil
}

// environmentPassword fills in basic authentication: variables, else ~/.mlflow/credentials. The file does
// not stand against a token that is set: a job has its own, whatever lies in the home folder.
func environmentPassword(o *Options) error {
	o.Username, o.Password = os.Getenv("MLFLOW_TRACKING_USERNAME"), os.Getenv("MLFLOW_TRACKING_PASSWORD")
	if o.Username != "" && o.Password != "" || o.Token != "" {
		return nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return nil // no home, no file
	}
	text, err := os.ReadFile(filepath.Join(home, ".mlflow", "credentials"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("mlflow: FromEnvironment: %w", err)
	}
	section := parseINI(string(text))["mlflow"]
	if o.Username == "" {
		o.Username = section["mlflow_tracking_username"]
	}
	if o.Password == "" {
		o.Password = section["mlflow_tracking_password"]
	}
	return nil
}

func environmentTLS(o *Options) error {
	insecure, ok, err := envBool("MLFLOW_TRACKING_INSECURE_TLS")
	if err != nil {
		return err
	}
	if ok && insecure {
		o.InsecureTLS = true
	}
	if o.ServerCertFile == "" {
		o.ServerCertFile = os.Getenv("MLFLOW_TRACKING_SERVER_CERT_PATH")
	}
	if o.ClientCertFile == "" {
		o.ClientCertFile = os.Getenv("MLFLOW_TRACKING_CLIENT_CERT_PATH")
	}
	follow, ok, err := envBool("MLFLOW_ALLOW_HTTP_REDIRECTS")
	if ok && !follow {
		o.NoRedirects = true
	}
	return err
}

// environmentRetry reads MLFLOW_HTTP_REQUEST_*, with the bounds that MLflow sets.
func environmentRetry(r *Retry) error {
	retries, set, err1 := envFloat("MLFLOW_HTTP_REQUEST_MAX_RETRIES", 0, 10)
	if set && r.Max == 0 {
		if r.Max = int(retries); r.Max == 0 {
			r.Max = -1
		}
	}
	factor, set, err2 := envFloat("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", 0, 120)
	if set && r.Backoff == 0 {
		r.Backoff = max(time.Duration(factor*float64(time.Second)), 1)
	}
	jitter, set, err3 := envFloat("MLFLOW_HTTP_REQUEST_BACKOFF_JITTER", 0, 120)
	if set && r.Jitter == 0 {
		if r.Jitter = time.Duration(jitter * float64(time.Second)); r.Jitter == 0 {
			r.Jitter = -1
		}
	}
	timeout, set, err4 := envFloat("MLFLOW_HTTP_REQUEST_TIMEOUT", 0, 86400)
	if set && r.Timeout == 0 {
		r.Timeout = time.Duration(timeout * float64(time.Second))
	}
	respect, set, err5 := envBool("MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER")
	if set && !respect {
		r.IgnoreRetryAfter = true
	}
	return errors.Join(err1, err2, err3, err4, err5)
}

// environmentPlugins refuses what would otherwise be left out in silence.
func environmentPlugins() error {
	if v := os.Getenv("MLFLOW_TRACKING_AUTH"); v != "" {
		return fmt.Errorf("mlflow: FromEnvironment: MLFLOW_TRACKING_AUTH=%s is a plug-in of Python's client; give Options.Transport one that signs", v)
	}
	if v, ok, err := envBool("MLFLOW_TRACKING_AWS_SIGV4"); err != nil {
		return err
	} else if ok && v {
		return errors.New("mlflow: FromEnvironment: MLFLOW_TRACKING_AWS_SIGV4 is not supported; give Options.Transport one that signs")
	}
	return nil
}

func envBool(name string) (value, set bool, err error) {
	switch v := os.Getenv(name); strings.ToLower(v) {
	case "":
		return false, false, nil
	case "true", "1":
		return true, true, nil
	case "false", "0":
		return false, true, nil
	default:
		return false, false, fmt.Errorf("mlflow: FromEnvironment: %s is %q; it is true, false, 1 or 0", name, v)
	}
}

func envFloat(name string, low, high float64) (value float64, set bool, err error) {
	v := os.Getenv(name)
	if v == "" {
		return 0, false, nil
	}
	value, err = strconv.ParseFloat(v, 64)
	if err != nil || !(value >= low && value <= high) {
		return 0, false, fmt.Errorf("mlflow: FromEnvironment: %s is %q; it is a number from %g to %g", name, v, low, high)
	}
	return value, true, nil
}

// parseINI reads sections of key = value lines, names in lower case.
func parseINI(text string) map[string]map[string]string {
	out := map[string]map[string]string{}
	var section map[string]string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#' || line[0] == ';':
		case line[0] == '[' && line[len(line)-1] == ']':
			name := strings.ToLower(strings.TrimSpace(line[1 : len(line)-1]))
			if section = out[name]; section == nil {
				section = map[string]string{}
				out[name] = section
			}
		case section != nil:
			i := strings.IndexAny(line, "=:")
			if i > 0 {
				section[strings.ToLower(strings.TrimSpace(line[:i]))] = strings.TrimSpace(line[i+1:])
			}
		}
	}
	return out
}
