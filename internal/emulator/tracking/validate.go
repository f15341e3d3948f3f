package tracking

import (
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/tracking/py"
	"github.com/azureml-go/azureml/internal/emulator/tracking/request"
)

// MLflow's limits, lengths in characters.
const (
	maxKey             = 250
	maxParamValue      = 6000
	maxTagValue        = 8000
	maxExperimentValue = 20000
	maxModelValue      = 100000
	maxBatchItems      = 1000
	maxBatchParams     = 100
	maxBatchTags       = 100
	maxBatchBody       = 1_000_000 // bytes
)

// tooLong refuses a text above its limit.
func tooLong(name string, limit int, v string) error {
	if len(v) > limit && py.Len(v) > limit {
		return invalidf("'%s' exceeds the maximum length of %d characters", name, limit)
	}
	return nil
}

// invalidValue is the beginning of MLflow's messages on values.
func invalidValue(path string, value any, why string) error {
	return invalidf("Invalid value %s for parameter '%s' supplied: %s", request.Dumps(value), path, why)
}

// checkName refuses names of metrics, parameters and tags that could not be paths.
func checkName(name, path string) error {
	for _, r := range strings.TrimSuffix(name, "\n") {
		if !py.IsWord(r) && !strings.ContainsRune("/.- :", r) {
			return invalidValue(path, name, "Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and slashes (/).")
		}
	}
	return checkNormal(name, path)
}

// checkNormal refuses names that are other names when they are taken for paths.
func checkNormal(name, path string) error {
	if norm := py.Normpath(name); norm != name || norm == "." || strings.HasPrefix(norm, "..") || strings.HasPrefix(norm, "/") {
		return invalidValue(path, name, "Names may be treated as files in certain cases, and must not resolve to other names when treated as such. This name would resolve to "+py.Repr(norm))
	}
	return nil
}

// field puts a field behind a path: metrics[0].name.
func field(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func checkMetric(m *Metric, path string) error {
	if err := checkName(m.Key, field(path, "name")); err != nil {
		return err
	}
	if m.Timestamp < 0 {
		return invalidValue(field(path, "timestamp"), m.Timestamp, "metric '"+m.Key+"' (value="+py.FormatFloat(m.Value)+"). Timestamp must be a nonnegative long (64-bit integer) ")
	}
	return tooLong("Metric name", maxKey, m.Key)
}

// checkDataset refuses half of a data set.
func (m *Metric) checkDataset() error {
	if (m.DatasetName == "") != (m.DatasetDigest == "") {
		return invalidf("Both dataset_name and dataset_digest must be provided if one is provided")
	}
	return nil
}

// checkParam returns the parameter with a value that is not too long.
func checkParam(p Tag, path string) (Tag, error) {
	if err := checkName(p.Key, field(path, "key")); err != nil {
		return p, err
	}
	p.Value = py.Truncate(p.Value, maxParamValue)
	return p, tooLong("Param key", maxKey, p.Key)
}

// checkTag returns the tag with a value that is not too long.
func checkTag(t Tag, path string) (Tag, error) {
	if err := checkName(t.Key, field(path, "key")); err != nil {
		return t, err
	}
	t.Value = py.Truncate(t.Value, maxTagValue)
	return t, tooLong(field(path, "key"), maxKey, t.Key)
}

func checkExperimentTag(t Tag) error {
	if err := checkName(t.Key, "key"); err != nil {
		return err
	}
	if err := tooLong("key", maxKey, t.Key); err != nil {
		return err
	}
	return tooLong("value", maxExperimentValue, t.Value)
}

func checkModelTag(t Tag) error {
	if err := checkName(t.Key, "key"); err != nil {
		return err
	}
	if err := tooLong("key", maxKey, t.Key); err != nil {
		return err
	}
	return tooLong("value", maxModelValue, t.Value)
}

// checkRunID refuses what can be no run's id.
func checkRunID(id string) error {
	if !identifier(strings.TrimSuffix(id, "\n"), 256) {
		return invalidf("Invalid value %s for parameter 'run_id' supplied.", request.Dumps(id))
	}
	return nil
}

// identifier: an ASCII letter or digit, then word characters and dashes.
func identifier(s string, limit int) bool {
	for i, r := range s {
		if i == 0 && (r >= 0x80 || !py.IsWord(r) || r == '_') || !py.IsWord(r) && r != '-' {
			return false
		}
	}
	return s != "" && py.Len(s) <= limit
}

// checkBatch refuses batches above the limits.
func checkBatch(metrics, params, tags int) error {
	for _, l := range []struct {
		what      string
		limit, is int
	}{{"metrics", maxBatchItems, metrics}, {"params", maxBatchParams, params}, {"tags", maxBatchTags, tags}, {"metrics, params, and tags", maxBatchItems, metrics + params + tags}} {
		if l.is > l.limit {
			return invalidf("A batch logging request can contain at most %d %s. Got %d %s. Please split up %s across multiple requests and try again.", l.limit, l.what, l.is, l.what, l.what)
		}
	}
	return nil
}
