package wire

import (
	"fmt"
	"strings"
)

// MachineLearning is the resource provider's namespace.
const MachineLearning = "Microsoft.MachineLearningServices"

// An ARMID is the id of a resource: /subscriptions/S/resourceGroups/G/providers/P/type/name/type/name…
type ARMID struct {
	Subscription, ResourceGroup string
	Provider                    string // "" for a resource group or subscription
	Parts                       []ARMPart
}

// An ARMPart is one collection and the name of a resource in it: workspaces/W, models/M, versions/1.
type ARMPart struct{ Type, Name string }

// ParseARMID reads an id, with or without "azureml:" or the first slash. The fixed words may have any case.
func ParseARMID(s string) (ARMID, error) {
	bad := func(why string) (ARMID, error) {
		return ARMID{}, fmt.Errorf("%q is no resource id: %s", s, why)
	}
	rest := strings.TrimPrefix(strings.TrimPrefix(s, "azureml:"), "/")
	segs := strings.Split(rest, "/")
	for _, x := range segs {
		if x == "" {
			return bad("a part is empty")
		}
	}
	var id ARMID
	if len(segs) < 2 || !strings.EqualFold(segs[0], "subscriptions") {
		return bad("it begins with /subscriptions/")
	}
	id.Subscription, segs = segs[1], segs[2:]
	if len(segs) >= 2 && strings.EqualFold(segs[0], "resourceGroups") {
		id.ResourceGroup, segs = segs[1], segs[2:]
	}
	if len(segs) == 0 {
		return id, nil
	}
	if len(segs) < 2 || !strings.EqualFold(segs[0], "providers") {
		return bad("/providers/ follows the resource group")
	}
	id.Provider, segs = segs[1], segs[2:]
	if len(segs) == 0 || len(segs)%2 != 0 {
		return bad("a type has no name")
	}
	for i := 0; i < len(segs); i += 2 {
		id.Parts = append(id.Parts, ARMPart{segs[i], segs[i+1]})
	}
	return id, nil
}

// String is the id in the spelling that azure-ai-ml sends: resourceGroups, the first slash.
func (a ARMID) String() string {
	var b strings.Builder
	b.WriteString("/subscriptions/" + a.Subscription)
	if a.ResourceGroup != "" {
		b.WriteString("/resourceGroups/" + a.ResourceGroup)
	}
	if a.Provider != "" {
		b.WriteString("/providers/" + a.Provider)
	}
	for _, p := range a.Parts {
		b.WriteString("/" + p.Type + "/" + p.Name)
	}
	return b.String()
}

// Name is the name in a collection, "" when the id has none such: Name("workspaces"), Name("versions").
func (a ARMID) Name(collection string) string {
	for _, p := range a.Parts {
		if strings.EqualFold(p.Type, collection) {
			return p.Name
		}
	}
	return ""
}

// Workspace is the name of the workspace that the resource is in.
func (a ARMID) Workspace() string { return a.Name("workspaces") }

// Registry is the name of the registry that the resource is in.
func (a ARMID) Registry() string { return a.Name("registries") }

// Version is the asset's version.
func (a ARMID) Version() string { return a.Name("versions") }

// Label is the asset's label.
func (a ARMID) Label() string { return a.Name("labels") }

// Asset is the resource without its version or label: the collection and the name.
func (a ARMID) Asset() ARMPart {
	parts := a.Parts
	for len(parts) > 1 && (strings.EqualFold(parts[len(parts)-1].Type, "versions") || strings.EqualFold(parts[len(parts)-1].Type, "labels")) {
		parts = parts[:len(parts)-1]
	}
	if len(parts) == 0 {
		return ARMPart{}
	}
	return parts[len(parts)-1]
}

// In tells whether the resource is in that workspace; names of subscriptions, groups and workspaces have no case.
func (a ARMID) In(subscription, group, workspace string) bool {
	return strings.EqualFold(a.Subscription, subscription) && strings.EqualFold(a.ResourceGroup, group) && strings.EqualFold(a.Workspace(), workspace)
}

// SameID compares ids as ARM does: without regard to case and the slashes around.
func SameID(a, b string) bool {
	return strings.EqualFold(strings.Trim(a, "/"), strings.Trim(b, "/"))
}

// WorkspaceID is the id of a workspace or, with parts (type, name, type, name…), of something in it.
func WorkspaceID(subscription, group, workspace string, parts ...string) string {
	a := ARMID{Subscription: subscription, ResourceGroup: group, Provider: MachineLearning, Parts: []ARMPart{{"workspaces", workspace}}}
	for i := 0; i+1 < len(parts); i += 2 {
		a.Parts = append(a.Parts, ARMPart{parts[i], parts[i+1]})
	}
	return a.String()
}
