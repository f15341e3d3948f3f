package search

import (
	"slices"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/tracking/py"
)

// Tags and metadata that attributes of traces stand for.
const (
	TraceName     = "mlflow.traceName"
	LinkedPrompts = "mlflow.linkedPrompts"
	SourceRun     = "mlflow.sourceRun"
	SpanContent   = "content"
)

var (
	traceTagOps        = []string{"!=", "=", "LIKE", "ILIKE", "RLIKE", "IS NULL", "IS NOT NULL"}
	traceTextOps       = []string{"!=", "=", "IN", "NOT IN", "LIKE", "ILIKE", "RLIKE"}
	assessmentOps      = []string{"!=", "=", ">", ">=", "<", "<=", "LIKE", "ILIKE", "RLIKE", "IS NULL", "IS NOT NULL"}
	traceListKeys      = []string{"name", "status", "request_id", "run_id", "client_request_id"}
	spanKeys           = []string{"name", "status", "type"}
	traceEntities      = map[string]Entity{"tag": Tag, "tags": Tag, "request_metadata": Metadata, "metadata": Metadata, "attribute": Attribute, "attributes": Attribute, "trace": Attribute, "span": Span, "feedback": Feedback, "expectation": Expectation, "issue": Issue}
	traceEntitiesShown = []string{"attribute", "attributes", "expectation", "feedback", "issue", "metadata", "request_metadata", "span", "tag", "tags", "trace"}
)

var traces = &grammar{
	attributes: []string{"request_id", "timestamp", "timestamp_ms", "execution_time", "execution_time_ms", "end_time", "end_time_ms", "status", "client_request_id", "name", "run_id", "prompt", "text"},
	orders:     []string{"experiment_id", "timestamp", "timestamp_ms", "execution_time", "execution_time_ms", "end_time", "end_time_ms", "status", "request_id", "name", "run_id"},
	numeric:    []string{"timestamp_ms", "timestamp", "execution_time_ms", "execution_time", "end_time_ms", "end_time"},
	identifier: traceIdentifier,
	value:      traceValue,
	nullable:   func(Entity, string) error { return nil },
	check: func(c *Clause) error {
		if c.Entity != Span {
			return nil
		}
		return c.checkSpan(c.raw)
	},
	traces: true,
}

func traceIdentifier(_ *grammar, id string, valid []string) (Entity, string, error) {
	word, key, ok := strings.Cut(id, ".")
	e := Attribute
	if !ok {
		key = word
	} else if e, ok = traceEntities[trimBackticks(word)]; !ok {
		return "", "", faultf("Invalid entity type '%s'. Valid values are %s", trimBackticks(word), py.Set(traceEntitiesShown...))
	}
	key = trimBackticks(stripQuotes(key))
	if e == Attribute && !slices.Contains(valid, key) {
		return "", "", badKey(key, valid)
	}
	return e, key, nil
}

// traceValue reads the right side of a clause about traces.
func traceValue(g *grammar, e Entity, key, op string, n *node) (any, error) {
	text := n.class == identifier || n.class == token && n.kind == kindQuoted
	number := n.class == token && (n.kind == kindInteger || n.kind == kindFloat)
	expected := func(what string) error {
		return faultf("Expected a quoted string value for %s (e.g. 'my-value'). Got value %s", what, n.value)
	}
	switch e {
	case Feedback, Expectation:
		ordered := slices.Contains([]string{">", ">=", "<", "<="}, op)
		switch {
		case ordered && !number:
			return nil, faultf("Expected a numeric value for %s when using comparator '%s'. Got value %s", e, op, n.value)
		case ordered:
			return numeric(n)
		case !text:
			return nil, expected(string(e))
		}
		return unquote(n.value)
	case Attribute:
		switch {
		case text:
			return unquote(n.value)
		case n.class == parenthesis:
			if !slices.Contains(traceListKeys, key) {
				return nil, faultf("Only attributes in %s supports comparison with a list of quoted string values.", py.Set(traceListKeys...))
			}
			return list(n.value)
		case number && !slices.Contains(g.numeric, key):
			return nil, faultf("Only the '%s' attributes support comparison with numeric values.", py.Set(g.numeric...))
		case number:
			return numeric(n)
		}
		return nil, faultf("Expected a quoted string value or a list of quoted string values for attributes. Got value %s", n.value)
	}
	switch {
	case text:
		return unquote(n.value)
	case n.class == parenthesis && (e == Tag || e == Span):
		return list(n.value)
	}
	return nil, expected(string(e))
}

// Traces reads a filter of traces. Names, runs, prompts and texts are told by the
// tag, metadata or span that they stand for; times end in _ms.
func Traces(filter string) ([]Clause, error) {
	all, err := traces.clauses(filter)
	if err != nil {
		return nil, err
	}
	for i := range all {
		c := &all[i]
		c.Entity, c.Key = traceKey(c.Entity, c.Key)
		if err := c.checkTrace(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// traceKey replaces the keys that stand for something else, whatever the entity.
func traceKey(e Entity, key string) (Entity, string) {
	if e == Span {
		return e, key
	}
	switch strings.ToLower(key) {
	case "name":
		return Tag, TraceName
	case "prompt":
		return Tag, LinkedPrompts
	case "run_id":
		return Metadata, SourceRun
	case "text":
		return Span, SpanContent
	case "timestamp", "execution_time", "end_time":
		return e, strings.ToLower(key) + "_ms"
	}
	return e, key
}

func (c *Clause) checkTrace() error {
	wrong := func(valid []string, closing string) error {
		if !slices.Contains(valid, c.Op) {
			return faultf("Invalid comparator '%s' not one of '%s%s", c.Op, py.Set(valid...), closing)
		}
		return nil
	}
	switch c.Entity {
	case Issue:
		if c.Key != "id" {
			return faultf("Invalid issue attribute '%s'. Supported attributes: id", c.Key)
		}
		if c.Op != "=" {
			return faultf("issue.id comparator '%s' not one of '%s'", c.Op, py.Set("="))
		}
		return nil
	case Attribute:
		if slices.Contains(traces.numeric, c.Key) {
			if !slices.Contains(numericOps, c.Op) {
				return faultf("Invalid comparator '%s' not one of '%s", c.Op, py.Set(traceTextOps...))
			}
			if s, isText := c.Value.(string); isText {
				n, ok := py.Int(s)
				if !ok {
					return faultf("Invalid value for numeric attribute '%s': %s", c.Key, py.Repr(s))
				}
				c.Value = n
			}
			return nil
		}
		if err := wrong(traceTextOps, "'"); err != nil {
			return err
		}
		return c.checkList()
	case Span:
		if err := c.checkSpan(c.Op); err != nil {
			return err
		}
		return c.checkList()
	case Feedback, Expectation:
		if c.Key == "" {
			return faultf("Assessment field name cannot be empty")
		}
		if !slices.Contains(assessmentOps, c.Op) {
			return faultf("assessment.%s comparator '%s' not one of '%s'", c.Key, c.Op, py.Set(assessmentOps...))
		}
		return nil
	case Tag:
		if err := wrong(traceTagOps, ""); err != nil {
			return err
		}
		if c.Key == LinkedPrompts {
			return c.checkPrompt()
		}
		return c.checkList()
	}
	if err := wrong(traceTagOps, "'"); err != nil {
		return err
	}
	return c.checkList()
}

func (c *Clause) checkPrompt() error {
	if c.Op != "=" {
		return faultf("Invalid comparator '%s' for prompts filter. Only '=' is supported with format: prompt = \"name/version\"", c.Op)
	}
	if s, _ := c.Value.(string); strings.Count(s, "/") != 1 {
		return faultf("Invalid prompts filter value '%s'. Expected format: prompt = \"name/version\"", s)
	}
	return nil
}

func (c *Clause) checkSpan(op string) error {
	valid := traceTextOps
	attr, isAttr := strings.CutPrefix(c.Key, "attributes.")
	switch {
	case isAttr && attr == "":
		return faultf("Span attribute name cannot be empty after 'attributes.'")
	case isAttr || slices.Contains(spanKeys, c.Key):
	case c.Key == SpanContent:
		valid = []string{"LIKE", "ILIKE"}
	default:
		return faultf("Invalid span attribute '%s'. Supported attributes: name, status, type, attributes.<attribute_name>.", c.Key)
	}
	if !slices.Contains(valid, op) {
		return faultf("span.%s comparator '%s' not one of '%s'", c.Key, op, py.Set(valid...))
	}
	return nil
}

// TraceOrders reads the order_by of a search of traces.
func TraceOrders(items []string) ([]Order, error) {
	var all []Order
	for _, item := range items {
		o, err := traces.order(item)
		if err != nil {
			return nil, err
		}
		o.Entity, o.Key = traceKey(o.Entity, o.Key)
		if o.Entity != Attribute && o.Entity != Tag && o.Entity != Metadata {
			return nil, faultf("Invalid identifier type '%s'", o.Entity)
		}
		if slices.ContainsFunc(all, func(p Order) bool { return p.Entity == o.Entity && p.Key == o.Key }) {
			return nil, faultf("`order_by` contains duplicate fields: %s", py.List(items...))
		}
		all = append(all, o)
	}
	return all, nil
}
