package sampling

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
)

// Policy ends trials that do badly. Each value of the primary metric that a
// trial logs is one interval. It is not safe for concurrent use.
type Policy struct {
	kind           string
	every, delay   int
	factor, amount float64
	percent        float64
	maximize       bool
	trials         map[string]*history
}

type history struct {
	values  []float64
	best    float64 // of them
	stopped bool
}

func (h *history) add(value float64, p *Policy) {
	if len(h.values) == 0 || p.loss(value) < p.loss(h.best) {
		h.best = value
	}
	h.values = append(h.values, value)
}

// NewPolicy reads an earlyTermination, {"policyType": "Bandit", …}; null is no
// policy. maximize is the goal of the primary metric.
func NewPolicy(raw json.RawMessage, maximize bool) (*Policy, error) {
	var o struct {
		PolicyType                          string
		EvaluationInterval, DelayEvaluation int
		SlackFactor, SlackAmount            float64
		TruncationPercentage                float64
		Type                                string
	}
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	if err := json.Unmarshal(raw, &o); err != nil {
		return nil, fmt.Errorf("early termination: %w", err)
	}
	p := &Policy{kind: o.PolicyType, every: max(o.EvaluationInterval, 1), delay: o.DelayEvaluation, factor: o.SlackFactor, amount: o.SlackAmount, percent: o.TruncationPercentage, maximize: maximize, trials: map[string]*history{}}
	switch strings.ToLower(strings.ReplaceAll(p.kind, "_", "")) {
	case "bandit":
		p.kind = "bandit"
		if p.factor < 0 || p.amount < 0 || (p.factor > 0) == (p.amount > 0) {
			return nil, fmt.Errorf("early termination: bandit wants one of slack_factor and slack_amount, above zero")
		}
	case "medianstopping":
		p.kind = "median"
	case "truncationselection":
		p.kind = "truncation"
		if p.percent < 1 || p.percent > 99 {
			return nil, fmt.Errorf("early termination: truncation_percentage must be between 1 and 99, got %v", p.percent)
		}
	default:
		return nil, fmt.Errorf("early termination: %q is not one of Bandit, MedianStopping, TruncationSelection", o.PolicyType)
	}
	return p, nil
}

// Observe takes one value of a trial's primary metric and says which trials
// are to be ended now.
func (p *Policy) Observe(trial string, value float64) (stop []string) {
	if p == nil || math.IsNaN(value) {
		return nil
	}
	h := p.trials[trial]
	if h == nil {
		h = &history{}
		p.trials[trial] = h
	}
	h.add(value, p)
	n := len(h.values)
	if h.stopped || n < p.delay || n%p.every != 0 {
		return nil
	}
	switch p.kind {
	case "bandit":
		best := p.best(n)
		allowed := p.amount
		if p.factor > 0 {
			// as documented: for a goal of maximize, what is below best/(1+factor)
			if p.maximize {
				allowed = math.Abs(best) - math.Abs(best)/(1+p.factor)
			} else {
				allowed = math.Abs(best) * p.factor
			}
		}
		if p.loss(h.best) > p.loss(best)+allowed { // its best value, as documented, not its last
			stop = []string{trial}
		}
	case "median":
		stop = p.median(n)
	case "truncation":
		stop = p.truncate(n)
	}
	for _, s := range stop {
		p.trials[s].stopped = true
	}
	return stop
}

// median ends those that have come as far as n and were never better than the
// median of what the others averaged up to there. The trial that is ahead of
// the others is looked at again when they come to n.
func (p *Policy) median(n int) (stop []string) {
	averages := map[string]float64{} // of what has ended before n, over what there is
	for name, h := range p.trials {
		if len(h.values) >= n || h.stopped {
			averages[name] = mean(h.values[:min(n, len(h.values))])
		}
	}
	for _, name := range sortedKeys(averages) {
		h := p.trials[name]
		if h.stopped || len(h.values) < n {
			continue
		}
		var others []float64
		for other, a := range averages {
			if other != name {
				others = append(others, a)
			}
		}
		if len(others) > 0 && p.loss(h.best) > p.loss(median(others)) {
			stop = append(stop, name)
		}
	}
	return stop
}

// truncate ends the worst of those that have come as far as n, once all that
// are under way have.
func (p *Policy) truncate(n int) []string {
	var names []string
	for _, name := range sortedKeys(p.trials) {
		h := p.trials[name]
		if h.stopped {
			continue
		}
		if len(h.values) < n {
			return nil
		}
		names = append(names, name)
	}
	sort.SliceStable(names, func(i, j int) bool {
		return p.loss(p.trials[names[i]].values[n-1]) > p.loss(p.trials[names[j]].values[n-1])
	})
	return slices.Clone(names[:int(float64(len(names))*p.percent/100)])
}

// Last is the value that a trial logged last; NaN when it logged none.
func (p *Policy) Last(trial string) float64 {
	if p == nil || p.trials[trial] == nil || len(p.trials[trial].values) == 0 {
		return math.NaN()
	}
	return p.trials[trial].values[len(p.trials[trial].values)-1]
}

// Ended takes a trial out of those that truncation waits for.
func (p *Policy) Ended(trial string) {
	if p != nil && p.trials[trial] != nil {
		p.trials[trial].stopped = true
	}
}

func (p *Policy) loss(v float64) float64 {
	if p.maximize {
		return -v
	}
	return v
}

func (p *Policy) bestOf(values []float64) float64 {
	best := values[0]
	for _, v := range values {
		if p.loss(v) < p.loss(best) {
			best = v
		}
	}
	return best
}

// best value that any trial had by its n-th interval.
func (p *Policy) best(n int) float64 {
	var all []float64
	for _, h := range p.trials {
		if len(h.values) > 0 {
			all = append(all, p.bestOf(h.values[:min(n, len(h.values))]))
		}
	}
	return p.bestOf(all)
}

func mean(v []float64) float64 {
	s := 0.0
	for _, x := range v {
		s += x / float64(len(v))
	}
	return s
}

func median(v []float64) float64 {
	v = slices.Clone(v)
	sort.Float64s(v)
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}
