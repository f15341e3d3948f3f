package conformance

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// outcome is one line of what compare.py writes.
type outcome struct {
	YAML        string   `json:"yaml"`
	Kind        string   `json:"kind"`
	Outcome     string   `json:"outcome"`
	Differences []string `json:"differences"`
	Unknown     []string `json:"unknown"`
}

var summary = regexp.MustCompile(`(\d+) of (\d+) equal`)

// TestOracle sends every YAML file of the corpus and of the cases through
// examples/apply and compares what it changed with what azure-ai-ml sent.
// A difference that is right stands in differences.json with its reason.
func TestOracle(t *testing.T) {
	t.Parallel() // most of its time is waiting
	dir := oracle(t)
	py := python(t, "yaml")
	apply := program(t, "./examples/apply")
	known := map[string]string{}
	b, err := os.ReadFile("differences.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, &known))
	var files []operation
	for _, set := range []string{"cases", "corpus"} {
		t.Run(set, func(t *testing.T) {
			result := filepath.Join(t.TempDir(), "result.json")
			out := run(t, nil, dir, py, "compare.py", set, filepath.Join("recordings", set), "--show", "1000", "--json", result, "--", apply)
			m := summary.FindStringSubmatch(out)
			require.NotNil(t, m)
			total, err := strconv.Atoi(m[2])
			require.NoError(t, err)
			require.NotZero(t, total)
			b, err := os.ReadFile(result)
			require.NoError(t, err)
			var all []outcome
			require.NoError(t, json.Unmarshal(b, &all))
			for _, o := range all {
				// No request of ours is one that only our own emulator understands.
				if len(o.Unknown) > 0 {
					t.Errorf("%s: requests that the reference does not know: %v", o.YAML, o.Unknown)
				}
				one := operation{Name: set + "/" + o.YAML, Outcome: passed, Calls: 1}
				if o.Outcome != "equal" && o.Outcome != "refused too" {
					one.Outcome, one.Detail = failed, fmt.Sprintf("%s, %s: %v", o.Kind, o.Outcome, o.Differences)
				}
				if reason := known[one.Name]; reason != "" && one.Outcome == failed {
					one.Outcome, one.Detail = different, reason
				}
				files = append(files, one)
			}
		})
	}
	testifies(t, &witness{Name: "recordings of azure-ai-ml", Version: "1.35.2", What: "what examples/apply sends, compared with what it sent", Unit: "YAML files", Operations: files})
}
