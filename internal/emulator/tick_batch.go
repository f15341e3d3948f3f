package emulator

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// The REST API leaves endpointInvocationDefinition open. Here it says what an invocation says: the endpoint, which is otherwise
// in the address, the deployment, which is otherwise a header, and the body's properties.
var invocationFields = []string{"endpointName", "endpointId", "deploymentName", "properties"}

// checkInvocation finds what is wrong with the invocation of a schedule, its request included.
func (s *Server) checkInvocation(ctx context.Context, sc arm.Scope, d document) error {
	i, err := invocationOf(d, "check", time.Time{})
	if err != nil {
		return err
	}
	// That the endpoint and the deployment are there is known at each tick.
	w := &batchWork{s: s, sc: sc, props: i.props}
	for _, f := range []func() (map[string]any, error){w.inputs, w.outputs} {
		if _, err := f(); err != nil {
			return arm.Invalid("properties.action.endpointInvocationDefinition."+arm.As(err).Target, "%s", arm.As(err).Message)
		}
	}
	return nil
}

// invocationOf is what a schedule asks of a batch endpoint for the job of this name.
func invocationOf(d document, job string, at time.Time) (*invocation, error) {
	const field = "properties.action.endpointInvocationDefinition"
	def := document(named(d.object("properties", "action", "endpointInvocationDefinition"), invocationFields)).clone()
	for _, k := range slices.Sorted(maps.Keys(def)) {
		if !slices.Contains(invocationFields, k) {
			return nil, arm.Invalid(field+"."+k, "The local workspace knows no field %q here; it knows: %s.", k, strings.Join(invocationFields, ", "))
		}
	}
	endpoint := def.text("endpointName")
	if id := strings.TrimSuffix(def.text("endpointId"), "/"); endpoint == "" {
		endpoint = id[strings.LastIndexByte(id, '/')+1:]
	}
	if endpoint == "" {
		return nil, arm.Invalid(field+".endpointName", "The batch endpoint is required: endpointName, or endpointId.")
	}
	props := def.object("properties")
	if props == nil {
		return nil, arm.Invalid(field+".properties", "The request is required: an object as the endpoint's own address takes it, with inputData and the like.")
	}
	props, ok := replaced(batchRequestOf(props), tickMacro(job, at)).(map[string]any)
	if !ok {
		return nil, arm.Invalid(field+".properties", "An object is wanted.")
	}
	if nothing(props["name"]) {
		props["name"] = job
	}
	own, ok := props["properties"].(map[string]any)
	if !ok {
		own = map[string]any{}
		props["properties"] = own
	}
	if nothing(own["displayName"]) {
		own["displayName"] = tickName(d, at)
	}
	return &invocation{endpoint: endpoint, deployment: def.text("deploymentName"), props: props}, nil
}

// fireInvocation invokes a schedule's batch endpoint for a time, as the endpoint's own address does.
func (s *Server) fireInvocation(ctx context.Context, sc arm.Scope, d document, at time.Time) (string, error) {
	name, err := s.freeName(ctx, sc, tickName(d, at))
	if err != nil {
		return "", err
	}
	i, err := invocationOf(d, name, at)
	if err != nil {
		return "", err
	}
	i.marks = map[string]any{scheduleProperty: d.text("name")}
	job, _, err := s.invoke(ctx, sc, i)
	if err != nil && arm.As(err).Status == http.StatusNotFound {
		return "", arm.Invalid("properties.action.endpointInvocationDefinition", "%s", arm.As(err).Message)
	}
	return job, err
}
