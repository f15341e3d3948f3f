package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/azureml-go/azureml/internal/rest"
)

// ServicesOptions choose whose services are shown.
type ServicesOptions struct {
	// Node is the number of the node, from 0.
	Node int
}

// Services tells the interactive services of a job on one of its nodes, with the addresses at which they are
// reached (Runs_GetServiceInstances). They are there while the job runs.
func (c *Client) Services(ctx context.Context, name string, o *ServicesOptions) (Services, error) {
	node := 0
	if o != nil {
		node = o.Node
	}
	op := fmt.Sprintf("jobs: services of %q", name)
	var doc struct {
		Instances map[string]*struct {
			Type       string          `json:"type"`
			Port       json.RawMessage `json:"port"`
			Status     string          `json:"status"`
			Endpoint   string          `json:"endpoint"`
			Error      *historyError   `json:"error"`
			Properties looseMap        `json:"properties"`
		} `json:"instances"`
	}
	call := &rest.Call{Op: op, Plane: rest.API, Group: "runHistory", Path: c.history("runs", name, "serviceinstances", strconv.Itoa(node)), Out: &doc}
	if err := c.rest.Do(ctx, call); err != nil {
		return nil, err
	}
	out := Services{}
	for key, in := range doc.Instances {
		if in == nil {
			continue
		}
		s := Service{Status: in.Status, Endpoint: in.Endpoint, Properties: in.Properties, Type: ServiceType(in.Type)}
		if y, ok := serviceTypes.Parse(in.Type); ok {
			s.Type = ServiceType(y)
		}
		if in.Error != nil {
			s.Message = in.Error.Error.innermost()
		}
		s.Port = number(in.Port)
		out[key] = s
	}
	return out, nil
}

// number reads a number that may be written as text; 0 for anything else.
func number(raw json.RawMessage) int {
	var n int
	if json.Unmarshal(raw, &n) == nil {
		return n
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return 0
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}
