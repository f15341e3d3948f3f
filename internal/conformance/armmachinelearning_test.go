package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	armml "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/machinelearning/armmachinelearning/v4"
	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/workspace/local"
)

// armClient drives Microsoft's generated client by the names of its
// operations, so that the tests read as a table and none can be forgotten.
type armClient struct {
	*testing.T
	factory   *armml.ClientFactory
	rg, ws    string
	transport policy.Transporter
	last      []byte // body of the last answer
	pages     int    // of the last list
	tried     map[string]*operation
}

func newARM(t *testing.T, lw *local.Workspace) *armClient {
	a := &armClient{T: t, rg: lw.ID().ResourceGroup, ws: lw.ID().Name, transport: lw.Transport(), tried: map[string]*operation{}}
	o := &arm.ClientOptions{ClientOptions: policy.ClientOptions{Transport: lw.Transport(), PerRetryPolicies: []policy.Policy{a}}, DisableRPRegistration: true}
	var err error
	a.factory, err = armml.NewClientFactory(lw.ID().Subscription, lw.Credential(), o)
	require.NoError(t, err)
	return a
}

// Do keeps the body of each answer, as it came.
func (a *armClient) Do(r *policy.Request) (*http.Response, error) {
	resp, err := r.Next()
	if err != nil {
		return nil, err
	}
	a.last, err = runtime.Payload(resp)
	return resp, err
}

// document is an answer, decoded by the client and encoded by it again.
type document map[string]any

func (d document) at(path string) any {
	var v any = map[string]any(d)
	for _, k := range strings.Split(path, ".") {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[k]
	}
	return v
}

// option is the last argument of an operation: its options, as JSON.
type option string

// call carries an operation out, "Jobs.Get": arguments that are structs in the
// client are given as JSON. Pollers are followed to the end, lists to theirs.
func (a *armClient) call(name string, args ...any) (docs []document, err error) {
	a.Helper()
	group, method, _ := strings.Cut(name, ".")
	client := reflect.ValueOf(a.factory).MethodByName("New" + group + "Client")
	require.True(a, client.IsValid(), group)
	m := client.Call(nil)[0].MethodByName(method)
	require.True(a, m.IsValid(), name)
	in, rest := []reflect.Value{}, args
	for i := range m.Type().NumIn() {
		t := m.Type().In(i)
		switch {
		case t == reflect.TypeFor[context.Context]():
			in = append(in, reflect.ValueOf(a.Context()))
		case i == m.Type().NumIn()-1: // options
			o := reflect.Zero(t)
			if len(rest) > 0 {
				o = reflect.New(t.Elem())
				require.NoError(a, json.Unmarshal([]byte(rest[0].(option)), o.Interface()), name)
			}
			in = append(in, o)
		default:
			require.NotEmpty(a, rest, "%s: argument %d", name, i)
			in, rest = append(in, argument(a.T, t, rest[0].(string))), rest[1:]
		}
	}
	a.last, a.pages = nil, 0
	out := m.Call(in)
	if len(out) == 2 {
		if err, _ := out[1].Interface().(error); err != nil {
			return nil, err
		}
	}
	switch result := out[0]; {
	case strings.HasPrefix(method, "New"):
		return a.list(name, result)
	case strings.HasPrefix(method, "Begin"):
		end := result.MethodByName("PollUntilDone").Call([]reflect.Value{reflect.ValueOf(a.Context()), reflect.ValueOf(&runtime.PollUntilDoneOptions{Frequency: time.Millisecond})})
		if err, _ := end[1].Interface().(error); err != nil {
			return nil, err
		}
		return []document{a.strict(name, end[0])}, nil
	default:
		return []document{a.strict(name, result)}, nil
	}
}

func argument(t *testing.T, typ reflect.Type, text string) reflect.Value {
	t.Helper()
	v := reflect.New(typ)
	if typ.Kind() == reflect.String {
		v.Elem().SetString(text)
		return v.Elem()
	}
	require.NoError(t, json.Unmarshal([]byte(text), v.Interface()), text)
	return v.Elem()
}

func (a *armClient) list(name string, pager reflect.Value) (all []document, err error) {
	a.Helper()
	for pager.MethodByName("More").Call(nil)[0].Bool() {
		out := pager.MethodByName("NextPage").Call([]reflect.Value{reflect.ValueOf(a.Context())})
		if err, _ := out[1].Interface().(error); err != nil {
			return nil, err
		}
		page := a.strict(name, out[0])
		a.pages++
		for _, k := range []string{"value", "nodes"} {
			items, _ := page[k].([]any)
			for _, it := range items {
				all = append(all, it.(map[string]any))
			}
		}
	}
	return all, nil
}

// strict encodes what was decoded and compares it with what came: a field that
// the client does not know, or reads as something else, is a fault.
func (a *armClient) strict(name string, response reflect.Value) document {
	a.Helper()
	v := response
	if v.NumField() == 0 {
		return nil
	}
	v = v.Field(0)
	b, err := json.Marshal(v.Interface())
	require.NoError(a, err, name)
	if len(bytes.TrimSpace(a.last)) == 0 {
		a.fault(name, "the answer has no body")
		return document{}
	}
	var came, read any
	require.NoError(a, json.Unmarshal(a.last, &came), name)
	require.NoError(a, json.Unmarshal(b, &read), name)
	for _, d := range differences("", came, read) {
		a.fault(name, "the client reads the answer otherwise: "+d)
	}
	m, _ := read.(map[string]any)
	return m
}

// differences are the places where what came is not in what was read. Null and nothing are one.
func differences(at string, came, read any) []string {
	switch c := came.(type) {
	case nil:
		return nil
	case map[string]any:
		r, ok := read.(map[string]any)
		if !ok && len(c) > 0 {
			return []string{at + ": an object"}
		}
		var out []string
		for k, v := range c {
			if x, has := r[k]; has || v != nil {
				if !has {
					out = append(out, strings.TrimPrefix(at+"."+k, ".")+": not there")
					continue
				}
				out = append(out, differences(strings.TrimPrefix(at+"."+k, "."), v, x)...)
			}
		}
		sort.Strings(out)
		return out
	case []any:
		r, ok := read.([]any)
		if !ok || len(r) != len(c) {
			return []string{at + ": a list"}
		}
		var out []string
		for i := range c {
			out = append(out, differences(at+"[]", c[i], r[i])...)
		}
		return out
	case string:
		if r, ok := read.(string); ok && (r == c || sameTime(r, c)) {
			return nil
		}
	default:
		if reflect.DeepEqual(came, read) {
			return nil
		}
	}
	return []string{fmt.Sprintf("%s: %v, read as %v", at, came, read)}
}

func sameTime(a, b string) bool {
	x, err := time.Parse(time.RFC3339Nano, a)
	y, err2 := time.Parse(time.RFC3339Nano, b)
	return err == nil && err2 == nil && x.Equal(y)
}

// note writes down how an operation ended; a failure stays.
func (a *armClient) note(name, outcome, detail string) {
	o := a.tried[name]
	if o == nil {
		o = &operation{Name: name}
		a.tried[name] = o
	}
	o.Calls++
	rank := map[string]int{"": -1, refused: 0, passed: 1, failed: 2}
	if rank[outcome] > rank[o.Outcome] {
		o.Outcome, o.Detail = outcome, detail
	}
}

func (a *armClient) fault(name, detail string) {
	a.Helper()
	a.note(name, failed, detail)
	a.Errorf("%s: %s", name, detail)
}

// do is a call of a resource group's that must succeed.
func (a *armClient) do(name string, args ...any) []document {
	a.Helper()
	docs, err := a.call(name, args...)
	if err != nil {
		a.fault(name, err.Error())
		return []document{{}}
	}
	a.note(name, passed, "")
	return docs
}

// in is do with the resource group and the workspace before the arguments.
func (a *armClient) in(name string, args ...any) document {
	a.Helper()
	docs := a.do(name, append([]any{a.rg, a.ws}, args...)...)
	if len(docs) == 0 {
		return document{}
	}
	return docs[0]
}

// names lists a workspace's things in at least so many pages.
func (a *armClient) names(pages int, name string, args ...any) []string {
	a.Helper()
	out := []string{}
	for _, d := range a.do(name, append([]any{a.rg, a.ws}, args...)...) {
		s, _ := d["name"].(string)
		out = append(out, s)
	}
	if a.pages < pages {
		a.fault(name, fmt.Sprintf("%d pages, where %d were expected", a.pages, pages))
	}
	return out
}

// fails is a call that must fail with an *azcore.ResponseError of this status and code.
func (a *armClient) fails(status int, code, name string, args ...any) {
	a.Helper()
	_, err := a.call(name, append([]any{a.rg, a.ws}, args...)...)
	re, ok := errors.AsType[*azcore.ResponseError](err)
	switch {
	case !ok:
		a.fault(name, fmt.Sprintf("an *azcore.ResponseError was expected, not %v", err))
	case re.StatusCode != status || re.ErrorCode != code:
		a.fault(name, fmt.Sprintf("%d %s was expected, not %d %s", status, code, re.StatusCode, re.ErrorCode))
	}
}

// status is that of the error with which a call must fail.
func (a *armClient) status(name string, args ...any) int {
	a.Helper()
	_, err := a.call(name, args...)
	if re, ok := errors.AsType[*azcore.ResponseError](err); ok {
		return re.StatusCode
	}
	a.fault(name, fmt.Sprintf("an *azcore.ResponseError was expected, not %v", err))
	return 0
}

// refuses is a call that the local workspace does not carry out: it says so by this code.
func (a *armClient) refuses(code, name string, args ...any) {
	a.Helper()
	_, err := a.call(name, append([]any{a.rg, a.ws}, args...)...)
	re, ok := errors.AsType[*azcore.ResponseError](err)
	if !ok || re.ErrorCode != code {
		a.fault(name, fmt.Sprintf("%s was expected, not %v", code, err))
		return
	}
	var body struct{ Error struct{ Message string } }
	require.NoError(a, json.Unmarshal(a.last, &body))
	a.note(name, refused, body.Error.Message)
}

// operations are all operations of the client, each as it ended.
func (a *armClient) operations(reasons map[string]string) []operation {
	var out []operation
	f := reflect.TypeFor[*armml.ClientFactory]()
	for i := range f.NumMethod() {
		group := strings.TrimSuffix(strings.TrimPrefix(f.Method(i).Name, "New"), "Client")
		client := f.Method(i).Type.Out(0)
		for j := range client.NumMethod() {
			name := group + "." + client.Method(j).Name
			o := a.tried[name]
			switch {
			case o != nil:
			case reasons[name] != "":
				o = &operation{Name: name, Outcome: notCalled, Detail: reasons[name]}
			default:
				o = &operation{Name: name, Outcome: failed, Detail: "it is neither called nor listed with a reason"}
			}
			out = append(out, *o)
		}
	}
	return out
}
