// Package sampling chooses the values of a sweep's trials: search spaces as
// the service is sent them, the sampling algorithms (random, Sobol, grid,
// Bayesian), and the early-termination policies. It knows no jobs.
package sampling

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
)

// dimension is one distribution of a space. Every distribution is reached from
// a number between 0 and 1, so that all algorithms share one code.
type dimension struct {
	path    []string // the hyperparameter, then, inside a choice of objects, option index and key
	kind    string
	options []any // of choice: literals, or subspaces for objects that hold distributions
	args    []float64
}

// Space is a search space, flattened: a nested choice is a dimension, and the
// distributions in its options are dimensions of their own, used when that
// option is chosen.
type Space struct {
	names []string // in order
	roots map[string]*node
	dims  []*dimension
	base  float64 // natural logarithm of the base of log distributions
}

// node is what a hyperparameter's value is made of.
type node struct {
	literal any              // when there is nothing to choose
	fixed   bool             // literal is meant, even nil
	dim     int              // index of its dimension
	options []*node          // of a choice
	fields  map[string]*node // of an object
}

// arity is how many numbers each continuous distribution takes.
var arity = map[string]int{
	"uniform": 2, "loguniform": 2, "normal": 2, "lognormal": 2, "randint": 1,
	"quniform": 3, "qloguniform": 3, "qnormal": 3, "qlognormal": 3,
}

// ParseSpace reads a searchSpace: name → ["uniform", [0, 1]].
func ParseSpace(raw json.RawMessage) (*Space, error) {
	var m map[string]json.RawMessage
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, fmt.Errorf("search space: want an object: %w", err)
	}
	s := &Space{roots: map[string]*node{}, base: 1}
	for k := range m {
		s.names = append(s.names, k)
	}
	sort.Strings(s.names)
	var errs []error
	for _, k := range s.names {
		n, err := s.parse(m[k], []string{k}, 0)
		if err != nil {
			errs = append(errs, fmt.Errorf("search space: %s: %w", k, err))
		}
		s.roots[k] = n
	}
	if len(s.names) == 0 {
		errs = append(errs, errors.New("search space: there is nothing to choose"))
	}
	return s, errors.Join(errs...)
}

// Names lists the hyperparameters.
func (s *Space) Names() []string { return slices.Clone(s.names) }

const maxDepth = 8

func (s *Space) parse(raw json.RawMessage, path []string, depth int) (*node, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("choices are nested deeper than %d", maxDepth)
	}
	kind, args, err := expression(raw)
	if err != nil {
		return nil, err
	}
	d := &dimension{path: path, kind: kind}
	at := len(s.dims)
	if kind == "choice" {
		var options []json.RawMessage
		if len(args) != 1 || json.Unmarshal(args[0], &options) != nil || len(options) == 0 {
			return nil, errors.New(`choice wants one list of values: ["choice", [[1, 2]]]`)
		}
		s.dims = append(s.dims, d)
		n := &node{dim: at}
		for i, o := range options {
			child, err := s.value(o, append(slices.Clone(path), fmt.Sprint(i)), depth+1)
			if err != nil {
				return nil, err
			}
			n.options = append(n.options, child)
			d.options = append(d.options, i)
		}
		return n, nil
	}
	want, ok := arity[kind]
	if !ok {
		return nil, fmt.Errorf("%q is not a distribution; want choice, randint, uniform, loguniform, normal, lognormal or one of them with q before it", kind)
	}
	if len(args) != want {
		return nil, fmt.Errorf("%s wants %d numbers, got %d", kind, want, len(args))
	}
	for _, a := range args {
		var f float64
		if err := json.Unmarshal(a, &f); err != nil {
			return nil, fmt.Errorf("%s: %s is not a number", kind, a)
		}
		d.args = append(d.args, f)
	}
	if err := d.check(); err != nil {
		return nil, err
	}
	s.dims = append(s.dims, d)
	return &node{dim: at}, nil
}

// value is an option of a choice: a literal, or an object whose fields may be
// distributions.
func (s *Space) value(raw json.RawMessage, path []string, depth int) (*node, error) {
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return nil, err
	}
	obj, ok := v.(map[string]any)
	if !ok {
		return &node{literal: v, fixed: true}, nil
	}
	var rawFields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &rawFields); err != nil {
		return nil, err
	}
	n := &node{fields: map[string]*node{}}
	for _, k := range sortedKeys(obj) {
		p := append(slices.Clone(path), k)
		if _, _, err := expression(rawFields[k]); err == nil {
			child, err := s.parse(rawFields[k], p, depth+1)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", k, err)
			}
			n.fields[k] = child
			continue
		}
		child, err := s.value(rawFields[k], p, depth+1)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", k, err)
		}
		n.fields[k] = child
	}
	return n, nil
}

// expression takes ["kind", [args]] apart. A pipeline's sweep node spells it
// {"type": "uniform", "min_value": 0, …}.
func expression(raw json.RawMessage) (kind string, args []json.RawMessage, err error) {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) == nil {
		if len(list) != 2 || json.Unmarshal(list[0], &kind) != nil || json.Unmarshal(list[1], &args) != nil {
			return "", nil, errors.New(`want ["distribution", [arguments]]`)
		}
		return strings.ToLower(kind), args, nil
	}
	var o map[string]json.RawMessage
	if json.Unmarshal(raw, &o) != nil || o["type"] == nil || json.Unmarshal(o["type"], &kind) != nil {
		return "", nil, errors.New(`want ["distribution", [arguments]]`)
	}
	kind = strings.ToLower(kind)
	for _, k := range []string{"values", "upper", "min_value", "max_value", "mu", "sigma", "q"} {
		if a, ok := o[k]; ok {
			args = append(args, a)
		}
	}
	return kind, args, nil
}

func (d *dimension) check() error {
	a := d.args
	for _, f := range a {
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return fmt.Errorf("%s: numbers must be finite", d.kind)
		}
	}
	switch strings.TrimPrefix(d.kind, "q") {
	case "uniform", "loguniform":
		if a[0] > a[1] {
			return fmt.Errorf("%s: the least value %v is above the greatest %v", d.kind, a[0], a[1])
		}
	case "normal", "lognormal":
		if a[1] < 0 {
			return fmt.Errorf("%s: sigma %v is negative", d.kind, a[1])
		}
	case "randint":
		if a[0] < 1 || a[0] != math.Trunc(a[0]) {
			return fmt.Errorf("randint wants a whole number above zero, got %v", a[0])
		}
	}
	if strings.HasPrefix(d.kind, "q") && a[2] <= 0 {
		return fmt.Errorf("%s: q must be above zero, got %v", d.kind, a[2])
	}
	return nil
}

// at is value with natural logarithms.
func (d *dimension) at(u float64) any { return d.value(u, 1) }

// value is the distribution's value for u in [0, 1): its quantile. For a choice
// it is the option's index. base is the natural logarithm of the base of what
// is logarithmic.
func (d *dimension) value(u, base float64) any {
	u = min(max(u, 0), math.Nextafter(1, 0))
	if d.kind == "choice" {
		return int(u * float64(len(d.options)))
	}
	a := d.args
	if d.kind == "randint" {
		return int64(u * a[0])
	}
	kind, quantised := strings.CutPrefix(d.kind, "q")
	var v float64
	switch kind {
	case "uniform":
		v = a[0] + u*(a[1]-a[0])
	case "loguniform": // bounds are logarithms, as hyperdrive and hyperopt have them
		v = math.Exp((a[0] + u*(a[1]-a[0])) * base)
	case "normal":
		v = a[0] + a[1]*quantile(u)
	case "lognormal":
		v = math.Exp((a[0] + a[1]*quantile(u)) * base)
	}
	if quantised {
		v = math.Round(v/a[2]) * a[2]
	}
	return v
}

// quantile of the standard normal distribution.
func quantile(u float64) float64 {
	u = min(max(u, 1e-12), 1-1e-12)
	return math.Sqrt2 * math.Erfinv(2*u-1)
}

// Values makes the trial's values of one number for each dimension.
func (s *Space) Values(u []float64) map[string]any {
	out := make(map[string]any, len(s.names))
	for _, k := range s.names {
		out[k] = s.build(s.roots[k], u)
	}
	return out
}

func (s *Space) build(n *node, u []float64) any {
	switch {
	case n.fixed:
		return n.literal
	case n.fields != nil:
		m := make(map[string]any, len(n.fields))
		for k, f := range n.fields {
			m[k] = s.build(f, u)
		}
		return m
	case n.options != nil:
		return s.build(n.options[s.dims[n.dim].at(u[n.dim]).(int)], u)
	}
	return s.dims[n.dim].value(u[n.dim], s.base)
}

// active marks the dimensions that u's choices lead to.
func (s *Space) active(u []float64) []bool {
	out := make([]bool, len(s.dims))
	var walk func(n *node)
	walk = func(n *node) {
		switch {
		case n.fixed:
		case n.fields != nil:
			for _, f := range n.fields {
				walk(f)
			}
		case n.options != nil:
			out[n.dim] = true
			walk(n.options[s.dims[n.dim].at(u[n.dim]).(int)])
		default:
			out[n.dim] = true
		}
	}
	for _, k := range s.names {
		walk(s.roots[k])
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string {
	k := make([]string, 0, len(m))
	for x := range m {
		k = append(k, x)
	}
	sort.Strings(k)
	return k
}
