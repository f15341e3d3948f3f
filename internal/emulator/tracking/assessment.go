package tracking

import (
	"database/sql"
	"math"
	"slices"

	"github.com/azureml-go/azureml/internal/emulator/tracking/py"
	"github.com/azureml-go/azureml/internal/emulator/tracking/request"
)

// Kinds of assessments.
const (
	feedback    = "feedback"
	expectation = "expectation"
	issue       = "issue"
)

var sourceTypes = []string{"SOURCE_TYPE_UNSPECIFIED", "HUMAN", "LLM_JUDGE", "CODE"}

// assessment is what someone thinks of a trace. The value is JSON.
type assessment struct {
	ID         string           `json:"id"`
	Name       string           `json:"name"`
	Kind       string           `json:"kind"`
	Value      string           `json:"value"`
	Error      *assessmentError `json:"error,omitempty"`
	Created    int64            `json:"created"`
	Updated    int64            `json:"updated"`
	SourceType int64            `json:"source_type"`
	SourceID   string           `json:"source_id,omitempty"`
	Span       string           `json:"span,omitempty"`
	Rationale  string           `json:"rationale,omitempty"`
	Overrides  string           `json:"overrides,omitempty"`
	Valid      bool             `json:"valid"`
	Metadata   []Tag            `json:"metadata,omitempty"`
}

type assessmentError struct {
	Code    string `json:"code"`
	Message string `json:"message,omitempty"`
	Stack   string `json:"stack,omitempty"`
}

// readAssessment reads one from a request.
func (s *Store) readAssessment(m *request.Message) (*assessment, error) {
	a := &assessment{ID: m.Text("assessment_id"), Name: m.Text("assessment_name"), Created: m.Int("create_time"), Updated: m.Int("last_update_time"),
		SourceType: m.Sub("source").Int("source_type"), SourceID: m.Sub("source").Text("source_id"), Span: m.Text("span_id"), Valid: true, Metadata: pairs(m, "metadata")}
	switch {
	case m.Has(expectation):
		a.Kind = expectation
		v, err := expected(m.Sub(expectation))
		if err != nil {
			return nil, err
		}
		a.Value = v
	case m.Has(feedback):
		a.Kind, a.Rationale, a.Overrides = feedback, m.Text("rationale"), m.Text("overrides")
		a.Value, a.Error = feedbackOf(m.Sub(feedback))
	case m.Has(issue):
		a.Kind, a.Rationale = issue, m.Text("rationale")
		o := &request.Object{}
		o.Set("issue_name", m.Sub(issue).Text("issue_name"))
		a.Value = request.Print(o)
	default:
		return nil, invalidf("Unknown assessment type: None")
	}
	now := s.now()
	if a.Created == 0 {
		a.Created = now
	}
	if a.Updated == 0 {
		a.Updated = now
	}
	if a.ID == "" {
		a.ID = "a-" + newID()
	}
	return a, nil
}

// pairs are the entries of a map.
func pairs(m *request.Message, field string) (list []Tag) {
	o := m.Pairs(field)
	for _, k := range o.Keys {
		v, _ := o.Values[k].(string)
		list = append(list, Tag{k, v})
	}
	return list
}

func expected(m *request.Message) (string, error) {
	v := plain(m.Any("value"))
	if m.Has("serialized_value") {
		sub := m.Sub("serialized_value")
		if format := sub.Text("serialization_format"); format != "JSON_FORMAT" {
			return "", invalidf("Unknown serialization format: %s. Only JSON_FORMAT is supported.", format)
		}
		var err error
		if v, err = request.Parse([]byte(sub.Text("value"))); err != nil {
			return "", invalidf("The serialized value is no JSON.")
		}
	}
	if v == nil {
		return "", invalidf("The `value` field must be specified.")
	}
	return request.Print(v), nil
}

func feedbackOf(m *request.Message) (string, *assessmentError) {
	var e *assessmentError
	if m.Has("error") {
		sub := m.Sub("error")
		e = &assessmentError{sub.Text("error_code"), sub.Text("error_message"), sub.Text("stack_trace")}
	}
	return request.Print(plain(m.Any("value"))), e
}

// plain is a value as protobuf's Value keeps it: numbers are doubles.
func plain(v any) any {
	switch v := v.(type) {
	case request.Big:
		f, _ := py.Float(string(v))
		return f
	case int64:
		return float64(v)
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = plain(item)
		}
		return list
	case *request.Object:
		o := &request.Object{}
		for _, k := range v.Keys {
			o.Set(k, plain(v.Values[k]))
		}
		return o
	}
	return v
}

func (a *assessment) write(o *out, trace string) {
	o.str("assessment_id", a.ID)
	o.str("assessment_name", a.Name)
	o.str("trace_id", trace)
	o.text("span_id", a.Span)
	o.object("source", func() {
		o.str("source_type", sourceTypes[a.SourceType])
		o.text("source_id", a.SourceID)
	})
	o.str("create_time", timestamp(a.Created))
	o.str("last_update_time", timestamp(a.Updated))
	v, err := request.Parse([]byte(a.Value))
	if err != nil {
		v = nil
	}
	switch a.Kind {
	case feedback:
		o.object(feedback, func() {
			o.raw("value", []byte(request.Print(plain(v))))
			if a.Error != nil {
				o.object("error", func() { a.Error.write(o) })
			}
		})
	case expectation:
		o.object(expectation, func() {
			switch v.(type) {
			case []any, *request.Object:
				o.object("serialized_value", func() {
					o.str("serialization_format", "JSON_FORMAT")
					o.str("value", a.Value)
				})
			default:
				o.raw("value", []byte(request.Print(plain(v))))
			}
		})
	case issue:
		o.raw(issue, []byte(a.Value))
	}
	o.text("rationale", a.Rationale)
	writeMap(o, "metadata", a.Metadata, math.MaxInt, math.MaxInt)
	o.text("overrides", a.Overrides)
	o.bool("valid", a.Valid)
}

func (e *assessmentError) write(o *out) {
	o.str("error_code", e.Code)
	o.text("error_message", e.Message)
	const limit, cut = 10000, "[Stack trace is truncated]\n...\n"
	stack := e.Stack
	if n := py.Len(stack); n > limit {
		r := []rune(stack)
		stack = cut + string(r[len(r)-(limit-len(cut)):])
	}
	o.text("stack_trace", stack)
}

// assessmentOf finds an assessment of a trace.
func assessmentOf(tx *sql.Tx, space int64, trace, id string) (*assessed, error) {
	t, err := findTrace(tx, space, trace)
	if err != nil {
		return nil, err
	}
	if t == nil {
		return nil, errorf(DoesNotExist, "Trace with request_id '%s' not found", trace)
	}
	i := slices.IndexFunc(t.Assessments, func(a *assessment) bool { return a.ID == id })
	if i < 0 {
		return nil, errorf(DoesNotExist, "Assessment with ID '%s' not found for trace '%s'", id, trace)
	}
	return &assessed{t, t.Assessments[i]}, nil
}

// assessed is a trace with one of its assessments.
type assessed struct {
	*trace
	a *assessment
}

func (c *call) answerAssessment(trace string, a *assessment) error {
	return c.answer(func(o *out) { o.object("assessment", func() { a.write(o, trace) }) })
}

// createAssessment: POST 3.0 mlflow/traces/*/assessments.
func createAssessment(c *call) error {
	m, err := c.read("CreateAssessment", request.Need("assessment"))
	if err != nil {
		return err
	}
	a, err := c.readAssessment(m.Sub("assessment"))
	if err != nil {
		return err
	}
	err = c.update(func(tx *sql.Tx, space int64) error {
		t, err := traceOf(tx, space, c.vars[0])
		if err != nil {
			return err
		}
		if slices.ContainsFunc(t.Assessments, func(o *assessment) bool { return o.ID == a.ID }) {
			return errorf(AlreadyExists, "Failed to create assessment for trace '%s' due to a constraint violation.", t.id)
		}
		if a.Overrides != "" && !t.override(a.Overrides, false) {
			return errorf(DoesNotExist, "Assessment with ID '%s' not found for trace '%s'", a.Overrides, t.id)
		}
		t.Assessments = append(t.Assessments, a)
		return t.save(tx)
	})
	if err != nil {
		return err
	}
	return c.answerAssessment(c.vars[0], a)
}

// override makes an assessment valid or not and reports whether it is there.
func (t *trace) override(id string, valid bool) bool {
	for _, a := range t.Assessments {
		if a.ID == id {
			a.Valid = valid
			return true
		}
	}
	return false
}

// getAssessment: GET 3.0 mlflow/traces/*/assessments/*.
func getAssessment(c *call) error {
	var found *assessed
	err := c.view(func(tx *sql.Tx, space int64) (err error) {
		found, err = assessmentOf(tx, space, c.vars[0], c.vars[1])
		return err
	})
	if err != nil {
		return err
	}
	return c.answerAssessment(c.vars[0], found.a)
}

// updateAssessment: PATCH 3.0 mlflow/traces/*/assessments/*.
func updateAssessment(c *call) error {
	m, err := c.read("UpdateAssessment", request.Need("assessment"), request.Need("update_mask"))
	if err != nil {
		return err
	}
	var found *assessed
	err = c.update(func(tx *sql.Tx, space int64) error {
		if found, err = assessmentOf(tx, space, c.vars[0], c.vars[1]); err != nil {
			return err
		}
		if err := found.a.change(m.Sub("assessment"), m.Texts("update_mask")); err != nil {
			return err
		}
		found.a.Updated = c.now()
		return found.save(tx)
	})
	if err != nil {
		return err
	}
	return c.answerAssessment(c.vars[0], found.a)
}

// change sets what a mask names.
func (a *assessment) change(m *request.Message, paths []string) error {
	if slices.Contains(paths, expectation) && slices.Contains(paths, feedback) {
		return invalidf("Cannot specify both `expectation` and `feedback` parameters.")
	}
	for _, p := range paths {
		switch p {
		case "assessment_name":
			a.Name = m.Text("assessment_name")
		case expectation:
			v, err := expected(m.Sub(expectation))
			if err != nil {
				return err
			}
			if a.Kind != expectation {
				return invalidf("Cannot update expectation value on a Feedback assessment.")
			}
			a.Value = v
		case feedback:
			if a.Kind != feedback {
				return invalidf("Cannot update feedback value on an Expectation assessment.")
			}
			a.Value, a.Error = feedbackOf(m.Sub(feedback))
		case "rationale":
			if a.Kind == feedback {
				a.Rationale = m.Text("rationale")
			}
		case "metadata":
			for _, t := range pairs(m, "metadata") {
				a.Metadata = setTagOf(a.Metadata, t)
			}
		}
	}
	return nil
}

// deleteAssessment: DELETE 3.0 mlflow/traces/*/assessments/*.
func deleteAssessment(c *call) error {
	err := c.update(func(tx *sql.Tx, space int64) error {
		found, err := assessmentOf(tx, space, c.vars[0], c.vars[1])
		if missing(err) {
			return nil
		}
		if err != nil {
			return err
		}
		if found.a.Overrides != "" {
			found.override(found.a.Overrides, true)
		}
		found.Assessments = slices.DeleteFunc(found.Assessments, func(a *assessment) bool { return a == found.a })
		return found.save(tx)
	})
	if err != nil {
		return err
	}
	return c.answer(nil)
}
