package tracking

import (
	"database/sql"
	"math"

	"github.com/azureml-go/azureml/internal/emulator/tracking/request"
	"github.com/azureml-go/azureml/internal/emulator/tracking/search"
)

// correlateTraces: POST 3.0 mlflow/traces/calculate-filter-correlation: how much
// more often than by chance two filters hold for the same trace.
func correlateTraces(c *call) error {
	m, err := c.read("CalculateTraceFilterCorrelation", request.Need("experiment_ids", request.IsList, request.IsTexts), request.Need("filter_string1", request.IsText),
		request.Need("filter_string2", request.IsText), request.May("base_filter", request.IsText))
	if err != nil {
		return err
	}
	ids, err := experimentIDs(m.Texts("experiment_ids"))
	if err != nil {
		return err
	}
	base := m.Text("base_filter")
	and := func(filter string) string {
		if base == "" {
			return filter
		}
		return base + " and " + filter
	}
	filters := []string{base, and(m.Text("filter_string1")), and(m.Text("filter_string2"))}
	var found [3]map[int64]bool
	for i, f := range filters {
		q := &traceQuery{limit: math.MaxInt32}
		if q.filter, err = search.Traces(f); err != nil {
			return err
		}
		if err := q.check(); err != nil {
			return err
		}
		err := c.view(func(tx *sql.Tx, space int64) error {
			all, err := q.run(tx, space, ids)
			found[i] = map[int64]bool{}
			for _, t := range all {
				found[i][t.tid] = true
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	both := 0
	for tid := range found[1] {
		if found[2][tid] {
			both++
		}
	}
	total, one, two := len(found[0]), len(found[1]), len(found[2])
	return c.answer(func(o *out) {
		if npmi := correlation(both, one, two, total, 0); !math.IsNaN(npmi) {
			o.float("npmi", npmi)
			o.float("npmi_smoothed", correlation(both, one, two, total, 0.5))
		}
		o.int("filter1_count", int64(one))
		o.int("filter2_count", int64(two))
		o.int("joint_count", int64(both))
		o.int("total_count", int64(total))
	})
}

// correlation is the normalised pointwise mutual information of two events by their
// counts, between -1 (never together) and 1 (always), NaN where one never happens.
// prior is added to each of the four cells, which steadies small counts.
func correlation(both, one, two, total int, prior float64) float64 {
	if total <= 0 || one == 0 || two == 0 || total-one-two+both < 0 || both > one || both > two {
		return math.NaN()
	}
	if both == 0 && prior == 0 {
		return -1
	}
	if one == both && two == both && total == both {
		return 1
	}
	n11, n := float64(both)+prior, float64(total)+4*prior
	n1, n2 := float64(one)+2*prior, float64(two)+2*prior
	npmi := ((math.Log(n11) + math.Log(n)) - (math.Log(n1) + math.Log(n2))) / -(math.Log(n11) - math.Log(n))
	return max(-1, min(1, npmi))
}
