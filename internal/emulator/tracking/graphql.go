package tracking

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	_ "github.com/vektah/gqlparser/v2/validator/rules" // the rules of validation

	"github.com/azureml-go/azureml/internal/emulator/tracking/request"
)

//go:embed graphql.graphqls
var graphSDL string

// graphSchema is what can be asked for at /graphql.
var graphSchema = sync.OnceValue(func() *ast.Schema {
	s, err := validator.LoadSchema(validator.Prelude, &ast.Source{Name: "graphql.graphqls", Input: graphSDL})
	if err != nil {
		panic("tracking: " + err.Error()) // the schema is part of the program
	}
	return s
})

// graphField is how a field of Query or Mutation is answered: by a route of REST.
type graphField struct {
	serve handler
	post  bool
}

var graphFields = map[string]graphField{
	"mlflowGetExperiment":                {getExperiment, false},
	"mlflowGetMetricHistoryBulkInterval": {getHistoryInterval, false},
	"mlflowGetRun":                       {getRun, false},
	"mlflowListArtifacts":                {listArtifacts, false},
	"mlflowSearchModelVersions":          {searchVersions, false},
	"mlflowSearchRuns":                   {searchRuns, true},
	"mlflowSearchDatasets":               {searchDatasets, true},
}

// graphql: POST and GET /graphql, for the user interface. The answers are those of
// REST, with the names and the fields that were asked for.
func graphql(c *call) error {
	if err := c.typed(); err != nil {
		return err
	}
	b, err := c.body(maxBody)
	if err != nil {
		return err
	}
	o, err := request.ObjectOf(b)
	if err != nil {
		return err
	}
	text, _ := o.Values["query"].(string)
	doc, err := parser.ParseQuery(&ast.Source{Input: text})
	if err != nil {
		return errorf(BadRequest, "%s", err)
	}
	g := &graph{call: c, doc: doc}
	data, errs := g.run(o)
	answer := map[string]any{"data": data, "errors": nil}
	if len(errs) > 0 {
		answer["errors"] = errs
	}
	out, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	c.w.Header().Set("Content-Type", "application/json")
	c.send(out)
	return nil
}

// graph is one query.
type graph struct {
	*call
	doc  *ast.QueryDocument
	vars map[string]any
	errs []string
}

// run checks a query and answers it; what fails is null and told of.
func (g *graph) run(o *request.Object) (data any, errs []string) {
	if fault := graphLimits(g.doc); fault != "" {
		return nil, []string{fault}
	}
	if list := validator.ValidateWithRules(graphSchema(), g.doc, nil); len(list) > 0 {
		for _, e := range list {
			errs = append(errs, strings.ReplaceAll(e.Message, `"`, "'"))
		}
		return nil, errs
	}
	name, _ := o.Values["operationName"].(string)
	op := g.doc.Operations.ForName(name)
	switch {
	case op == nil && name != "":
		return nil, []string{fmt.Sprintf("Unknown operation named '%s'.", name)}
	case op == nil:
		return nil, []string{"Must provide operation name if query contains multiple operations."}
	}
	given, _ := mapped(o.Values["variables"]).(map[string]any)
	vars, err := validator.VariableValues(graphSchema(), op, given)
	if err != nil {
		return nil, []string{err.Error()}
	}
	g.vars = vars
	result := map[string]any{}
	for _, f := range g.fields(op.SelectionSet) {
		v, err := g.root(f)
		if err != nil {
			g.errs, v = append(g.errs, asError(err).Message), nil
		}
		result[f.Alias] = v
	}
	return result, g.errs
}

// root answers a field of Query or Mutation.
func (g *graph) root(f *ast.Field) (any, error) {
	args := f.ArgumentMap(g.vars)
	switch f.Name {
	case "__typename":
		return f.ObjectDefinition.Name, nil
	case "testMutation":
		return nil, nil // as MLflow's server has it
	case "test":
		o := &request.Object{}
		o.Set("output", args["inputString"])
		return g.project(f, f.Definition.Type, o)
	}
	how, ok := graphFields[f.Name]
	if !ok {
		return nil, invalidf("The field '%s' is not served.", f.Name)
	}
	input, ok := args["input"].(map[string]any)
	if !ok {
		return nil, invalidf("Missing value for required parameter 'input'.")
	}
	answer, err := g.ask(how, input)
	if err != nil {
		return nil, err
	}
	return g.project(f, f.Definition.Type, answer)
}

// ask asks a route of REST.
func (g *graph) ask(how graphField, input map[string]any) (*request.Object, error) {
	r, err := http.NewRequestWithContext(g.ctx(), http.MethodGet, "/ajax-api/2.0/mlflow", http.NoBody)
	if err != nil {
		return nil, err
	}
	if how.post {
		body := map[string]any{}
		for k, v := range input {
			body[snake(k)] = v
		}
		b, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		r.Method, r.Body, r.ContentLength = http.MethodPost, io.NopCloser(bytes.NewReader(b)), int64(len(b))
		r.Header.Set("Content-Type", "application/json")
	} else {
		q := url.Values{}
		for k, v := range input {
			switch v := v.(type) {
			case nil:
			case []any:
				for _, item := range v {
					q.Add(snake(k), fmt.Sprint(item))
				}
			default:
				q.Set(snake(k), fmt.Sprint(v))
			}
		}
		r.URL.RawQuery = q.Encode()
	}
	w := &answered{header: http.Header{}}
	c := &call{Store: g.Store, ws: g.ws, o: g.o, w: w, r: r}
	if err := how.serve(c); err != nil {
		return nil, err
	}
	v, err := request.Parse(w.Bytes())
	if err != nil {
		return nil, err
	}
	o, _ := v.(*request.Object)
	return o, nil
}

// answered keeps an answer.
type answered struct {
	bytes.Buffer
	header http.Header
}

func (a *answered) Header() http.Header { return a.header }
func (*answered) WriteHeader(int)       {}

// fields are the fields of a selection, with those of its fragments.
func (g *graph) fields(set ast.SelectionSet) (all []*ast.Field) {
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			if g.included(s.Directives) {
				all = append(all, s)
			}
		case *ast.InlineFragment:
			if g.included(s.Directives) {
				all = append(all, g.fields(s.SelectionSet)...)
			}
		case *ast.FragmentSpread:
			if s.Definition != nil && g.included(s.Directives) {
				all = append(all, g.fields(s.Definition.SelectionSet)...)
			}
		}
	}
	return all
}

// included obeys @skip and @include.
func (g *graph) included(list ast.DirectiveList) bool {
	for _, d := range list {
		on, _ := d.ArgumentMap(g.vars)["if"].(bool)
		if d.Name == "skip" && on || d.Name == "include" && !on {
			return false
		}
	}
	return true
}

// project is a value of REST as a type of the schema.
func (g *graph) project(f *ast.Field, t *ast.Type, v any) (any, error) {
	if t.Elem != nil {
		items, _ := v.([]any)
		all := make([]any, len(items))
		for i, item := range items {
			var err error
			if all[i], err = g.project(f, t.Elem, item); err != nil {
				return nil, err
			}
		}
		return all, nil
	}
	def := graphSchema().Types[t.NamedType]
	switch def.Kind {
	case ast.Object:
		return g.object(f, def, v)
	case ast.Enum:
		if first := def.EnumValues[0].Name; v == nil && !strings.HasSuffix(first, "_UNSPECIFIED") {
			v = first
		}
		return v, nil
	}
	x := scalar(t.NamedType, v)
	if x == nil && f.ObjectDefinition.Name != "MlflowMetricExtension" {
		g.errs = append(g.errs, "Float cannot represent non numeric value: nan")
	}
	return x, nil
}

func (g *graph) object(f *ast.Field, def *ast.Definition, v any) (any, error) {
	o, _ := v.(*request.Object)
	if def.Name == "ApiError" {
		return nil, nil
	}
	if o == nil {
		o = &request.Object{}
	}
	result := map[string]any{}
	for _, sub := range g.fields(f.SelectionSet) {
		if sub.Name == "__typename" {
			result[sub.Alias] = def.Name
			continue
		}
		value, err := g.member(o, def, sub)
		if err != nil {
			return nil, err
		}
		if old, both := result[sub.Alias].(map[string]any); both {
			if fresh, ok := value.(map[string]any); ok {
				for k, v := range fresh {
					old[k] = v
				}
				continue
			}
		}
		result[sub.Alias] = value
	}
	return result, nil
}

// member is a field of an object. A run also leads to its experiment and to the
// versions of models that it made.
func (g *graph) member(o *request.Object, def *ast.Definition, f *ast.Field) (any, error) {
	if def.Name == "MlflowRunExtension" && (f.Name == "experiment" || f.Name == "modelVersions") {
		info, _ := o.Values["info"].(*request.Object)
		if info == nil {
			return nil, nil
		}
		field, input, part := "mlflowGetExperiment", map[string]any{"experimentId": info.Values["experiment_id"]}, "experiment"
		if f.Name == "modelVersions" {
			field, input, part = "mlflowSearchModelVersions", map[string]any{"filter": fmt.Sprintf("run_id='%v'", info.Values["run_id"]), "maxResults": 10_000}, "model_versions"
		}
		answer, err := g.ask(graphFields[field], input)
		if err != nil {
			g.errs = append(g.errs, asError(err).Message)
			return nil, nil
		}
		return g.project(f, f.Definition.Type, answer.Values[part])
	}
	return g.project(f, f.Definition.Type, o.Values[snake(f.Name)])
}

// scalar is a value as a scalar type has it; what is not set is empty, as in protobuf.
func scalar(name string, v any) any {
	switch name {
	case "LongString":
		switch v := v.(type) {
		case nil:
			return "0"
		case float64:
			return strconv.FormatFloat(v, 'f', -1, 64)
		}
		return fmt.Sprint(v)
	case "Float":
		switch v := v.(type) {
		case nil:
			return json.RawMessage("0.0")
		case string: // what JSON has no number for
			if v == "NaN" {
				return nil
			}
			return json.RawMessage(appendFloat(nil, math.MaxFloat64))
		case float64:
			if math.IsNaN(v) {
				return nil
			}
			return json.RawMessage(appendFloat(nil, min(max(v, -math.MaxFloat64), math.MaxFloat64)))
		}
		return v
	case "Boolean":
		b, _ := v.(bool)
		return b
	}
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

// mapped turns objects into maps.
func mapped(v any) any {
	switch v := v.(type) {
	case *request.Object:
		m := make(map[string]any, len(v.Values))
		for k, item := range v.Values {
			m[k] = mapped(item)
		}
		return m
	case []any:
		all := make([]any, len(v))
		for i, item := range v {
			all[i] = mapped(item)
		}
		return all
	case int64:
		return int(v)
	}
	return v
}

// snake is a name of the schema as REST has it.
func snake(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r >= 'A' && r <= 'Z' {
			b.WriteByte('_')
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}
