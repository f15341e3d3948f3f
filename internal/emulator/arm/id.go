package arm

import (
	"fmt"
	"strings"
)

// Segment is one (collection, name) pair of an id; Name is empty when the id ends in a collection.
type Segment struct{ Collection, Name string }

// ID is a resource id, taken apart. Collections are in the spelling of this package when it knows them.
type ID struct {
	Subscription  string
	ResourceGroup string // empty for what lies right below a subscription
	Provider      string // empty for a subscription or a resource group
	Segments      []Segment
}

// canonical has the spelling of what ids say without regard to case.
var canonical = func() map[string]string {
	m := map[string]string{}
	for _, c := range []string{
		Workspaces, Registries, Datastores, Computes, Jobs, Schedules, Codes, Data, Models, Environments, Components, Featuresets, FeatureEntities, Indexes, Versions, Labels,
		OnlineEndpoints, BatchEndpoints, Deployments, "serverlessEndpoints", "marketplaceSubscriptions", "capabilityHosts", "connections", "outboundRules", "features",
		"privateEndpointConnections", "privateLinkResources", "locations", "virtualClusters", "storageAccounts", "inferencePools", "endpoints", "deploymenttemplates", "prompts",
		"tempdatarefs", "datarefs", "datareferences",
	} {
		m[strings.ToLower(c)] = c
	}
	return m
}()

// Canonical is the known spelling of a collection, or the word itself.
func Canonical(collection string) string {
	if c, ok := canonical[strings.ToLower(collection)]; ok {
		return c
	}
	return collection
}

// ParseID takes a resource id apart. The prefix "azureml:" and a missing first slash are accepted, as the clients send them.
func ParseID(s string) (ID, error) {
	bad := func(why string) (ID, error) { return ID{}, fmt.Errorf("resource id %q: %s", s, why) }
	t := strings.TrimPrefix(s, "azureml:")
	if strings.HasPrefix(t, "//") {
		return bad("it is an azureml:// address")
	}
	p := strings.Split(strings.TrimSuffix(strings.TrimPrefix(t, "/"), "/"), "/")
	for _, x := range p {
		if x == "" {
			return bad("an empty segment")
		}
	}
	if len(p) < 2 || !strings.EqualFold(p[0], "subscriptions") {
		return bad("it does not begin with /subscriptions/…")
	}
	id := ID{Subscription: p[1]}
	p = p[2:]
	if len(p) >= 2 && strings.EqualFold(p[0], "resourceGroups") {
		id.ResourceGroup = p[1]
		p = p[2:]
	}
	if len(p) == 0 {
		return id, nil
	}
	if len(p) < 2 || !strings.EqualFold(p[0], "providers") {
		return bad("providers/… expected after the subscription or the resource group")
	}
	id.Provider = p[1]
	if strings.EqualFold(id.Provider, Provider) {
		id.Provider = Provider
	}
	for p = p[2:]; len(p) > 0; {
		g := Segment{Collection: Canonical(p[0])}
		p = p[1:]
		if len(p) > 0 {
			g.Name, p = p[0], p[1:]
		}
		id.Segments = append(id.Segments, g)
	}
	return id, nil
}

// String is the id in canonical spelling.
func (d ID) String() string {
	var b strings.Builder
	b.WriteString("/subscriptions/" + d.Subscription)
	if d.ResourceGroup != "" {
		b.WriteString("/resourceGroups/" + d.ResourceGroup)
	}
	if d.Provider != "" {
		b.WriteString("/providers/" + d.Provider)
	}
	for _, g := range d.Segments {
		b.WriteString("/" + g.Collection)
		if g.Name != "" {
			b.WriteString("/" + g.Name)
		}
	}
	return b.String()
}

// Type is the resource type, "Microsoft.MachineLearningServices/workspaces/jobs".
func (d ID) Type() string {
	t := d.Provider
	for _, g := range d.Segments {
		t += "/" + g.Collection
	}
	return t
}

// Name is the resource's own name.
func (d ID) Name() string {
	if len(d.Segments) == 0 {
		return ""
	}
	return d.Segments[len(d.Segments)-1].Name
}

// Parent is the id one level up: of a version its container, of a job its workspace, of a workspace its resource group.
func (d ID) Parent() ID {
	p := d
	if len(d.Segments) > 1 {
		p.Segments = d.Segments[:len(d.Segments)-1]
	} else {
		p.Segments, p.Provider = nil, ""
	}
	return p
}

// Scope is the workspace that the id lies in; false for ids outside a workspace.
func (d ID) Scope() (Scope, bool) {
	if d.Provider != Provider || len(d.Segments) == 0 || d.Segments[0].Collection != Workspaces || d.Segments[0].Name == "" {
		return Scope{}, false
	}
	return Scope{d.Subscription, d.ResourceGroup, d.Segments[0].Name}, true
}

// Registry is the name of the registry that the id lies in; false for ids outside one.
func (d ID) Registry() (string, bool) {
	if d.Provider != Provider || len(d.Segments) == 0 || d.Segments[0].Collection != Registries || d.Segments[0].Name == "" {
		return "", false
	}
	return d.Segments[0].Name, true
}

// Inner is what lies below the workspace or registry: for …/workspaces/w/data/d/versions/1 the pairs (data, d) and (versions, 1).
func (d ID) Inner() []Segment {
	if len(d.Segments) == 0 {
		return nil
	}
	return d.Segments[1:]
}

// Is says whether the id names one resource of the collection, right below a workspace or registry ("jobs") or as a version of it ("data").
func (d ID) Is(collection string) bool {
	in := d.Inner()
	return len(in) > 0 && strings.EqualFold(in[0].Collection, collection) && in[0].Name != ""
}
