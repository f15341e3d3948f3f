package wire

import (
	"fmt"
	"strings"
)

// A RefKind is what a string that may point anywhere points at.
type RefKind uint8

const (
	// LocalRef is a path on this machine.
	LocalRef RefKind = iota
	// AssetRef is azureml:name, azureml:name:version or azureml:name@label.
	AssetRef
	// ResourceRef is an ARM id.
	ResourceRef
	// RegistryRef is azureml://registries/R/models/N/versions/V (or labels/L).
	RegistryRef
	// WorkspaceRef is an asset by URI: azureml://locations/L/workspaces/GUID/models/N/versions/V, or azureml://models/N/…
	WorkspaceRef
	// DatastoreRef is a path in a datastore, azureml://datastores/D/paths/P, short or with the workspace in front.
	DatastoreRef
	// JobRef is azureml://jobs/J/outputs/O/paths/P.
	JobRef
	// RunRef is runs:/R/P, an MLflow run's artifact.
	RunRef
	// URLRef is any other URL.
	URLRef
	// GitRef is git+https://… or git+ssh://…
	GitRef
	// ExpressionRef is ${{…}}.
	ExpressionRef
)

// A Reference is a string taken apart. Which fields are set depends on the kind.
type Reference struct {
	Kind                                   RefKind
	Subscription, ResourceGroup, Workspace string
	Registry, Location                     string
	Collection, Name, Version, Label       string // of an asset; Name alone for azureml:name
	Datastore                              string
	Job, Output                            string // a JobRef's; a RunRef's run is in Job
	Path                                   string // below the datastore, output or run; the local path without file:
	Text                                   string // the whole string, always
}

// ParseReference takes a string apart. It is an error when the string has azureml: in front and no form that is known.
func ParseReference(s string) (Reference, error) {
	r := Reference{Text: s}
	switch {
	case s == "":
		return r, fmt.Errorf("the reference is empty")
	case strings.HasPrefix(s, "${{"):
		r.Kind = ExpressionRef
		return r, nil
	case strings.HasPrefix(s, "file:"), strings.HasPrefix(s, "folder:"):
		r.Path = strings.TrimPrefix(s[strings.IndexByte(s, ':')+1:], "//")
		if inner, err := ParseReference(r.Path); err == nil && inner.Kind != LocalRef {
			inner.Text = s
			return inner, nil
		}
		return r, nil
	case strings.HasPrefix(s, "git+"):
		r.Kind = GitRef
		return r, nil
	case strings.HasPrefix(s, "runs:/"):
		r.Kind = RunRef
		run, path, _ := strings.Cut(strings.TrimLeft(s[len("runs:/"):], "/"), "/")
		if run == "" {
			return r, fmt.Errorf("%q names no run", s)
		}
		r.Job, r.Path = run, path
		return r, nil
	case strings.HasPrefix(s, "azureml://"):
		return r.uri(s[len("azureml://"):])
	case isARM(strings.TrimPrefix(s, "azureml:")):
		return r.resource()
	case strings.HasPrefix(s, "azureml:"):
		return r.asset(s[len("azureml:"):])
	case strings.Contains(s, "://"):
		r.Kind = URLRef
		return r, nil
	}
	r.Path = s
	return r, nil
}

func isARM(s string) bool {
	s = strings.TrimPrefix(s, "/")
	return len(s) > len("subscriptions/") && strings.EqualFold(s[:len("subscriptions/")], "subscriptions/")
}

func (r Reference) resource() (Reference, error) {
	id, err := ParseARMID(r.Text)
	if err != nil {
		return r, err
	}
	a := id.Asset()
	r.Kind, r.Subscription, r.ResourceGroup, r.Workspace, r.Registry = ResourceRef, id.Subscription, id.ResourceGroup, id.Workspace(), id.Registry()
	r.Collection, r.Name, r.Version, r.Label = a.Type, a.Name, id.Version(), id.Label()
	return r, nil
}

// asset reads name:version, name@label or name. A version may have colons in it.
func (r Reference) asset(s string) (Reference, error) {
	r.Kind = AssetRef
	if name, version, ok := strings.Cut(s, ":"); ok {
		r.Name, r.Version = name, version
		if version == "" {
			return r, fmt.Errorf("%q has no version behind the colon", r.Text)
		}
	} else if i := strings.LastIndexByte(s, '@'); i >= 0 {
		r.Name, r.Label = s[:i], s[i+1:]
		if r.Label == "" {
			return r, fmt.Errorf("%q has no label behind the @", r.Text)
		}
	} else {
		r.Name = s
	}
	if r.Name == "" || strings.Contains(r.Name, "/") {
		return r, fmt.Errorf("%q is no reference; forms are azureml:name:version, azureml:name@label, azureml:/subscriptions/… and azureml://…", r.Text)
	}
	return r, nil
}

func (r Reference) uri(s string) (Reference, error) {
	segs := strings.Split(s, "/")
	bad := func() (Reference, error) {
		return r, fmt.Errorf("%q is no azureml:// URI that is known: they go on with datastores/, registries/, jobs/, locations/ or subscriptions/", r.Text)
	}
	word := func(i int, w string) bool { return i < len(segs) && strings.EqualFold(segs[i], w) }
	name := func(i int) bool { return i < len(segs) && segs[i] != "" }
	take := func(n int) { segs = segs[n:] }
	if word(0, "subscriptions") && name(1) {
		r.Subscription = segs[1]
		take(2)
		if !word(0, "resourceGroups") {
			return bad()
		}
	}
	if word(0, "resourceGroups") && name(1) {
		r.ResourceGroup = segs[1]
		take(2)
		if !word(0, "workspaces") && !word(0, "providers") {
			return bad()
		}
	}
	if word(0, "providers") && name(1) {
		take(2)
	}
	if word(0, "locations") && name(1) {
		r.Location = segs[1]
		take(2)
		if !word(0, "workspaces") {
			return bad()
		}
	}
	if word(0, "workspaces") && name(1) {
		r.Workspace = segs[1]
		take(2)
	}
	if word(0, "registries") && name(1) && r.Workspace == "" {
		r.Registry = segs[1]
		take(2)
	}
	switch {
	case word(0, "datastores") && name(1) && r.Registry == "":
		r.Kind, r.Datastore = DatastoreRef, segs[1]
		take(2)
		switch {
		case word(0, "paths"):
			take(1)
			r.Path = strings.Join(segs, "/")
		case word(0, "ExperimentRun"):
			r.Path = strings.Join(segs, "/")
		case len(segs) > 0 && (len(segs) > 1 || segs[0] != ""):
			return bad()
		}
		return r, nil
	case word(0, "jobs") && name(1) && word(2, "outputs") && name(3) && r.Registry == "":
		r.Kind, r.Job, r.Output = JobRef, segs[1], segs[3]
		take(4)
		if word(0, "paths") {
			r.Path = strings.Join(segs[1:], "/")
		} else if len(segs) > 0 && (len(segs) > 1 || segs[0] != "") {
			return bad()
		}
		return r, nil
	case name(0) && name(1):
		r.Kind = WorkspaceRef
		if r.Registry != "" {
			r.Kind = RegistryRef
		}
		r.Collection, r.Name = segs[0], segs[1]
		take(2)
		switch {
		case word(0, "versions") && name(1):
			r.Version = strings.Join(segs[1:], "/")
			return r, nil
		case word(0, "labels") && name(1) && len(segs) == 2:
			r.Label = segs[1]
			return r, nil
		case len(segs) == 0 && r.Registry != "":
			return r, nil
		}
	}
	return bad()
}

// DatastorePath is the short URI of a path in a datastore.
func DatastorePath(datastore, path string) string {
	return "azureml://datastores/" + datastore + "/paths/" + strings.TrimPrefix(path, "/")
}

// LongDatastorePath is the URI with the workspace in it, spelled as models have it.
func LongDatastorePath(subscription, group, workspace, datastore, path string) string {
	return fmt.Sprintf("azureml://subscriptions/%s/resourcegroups/%s/workspaces/%s/datastores/%s/paths/%s", subscription, group, workspace, datastore, strings.TrimPrefix(path, "/"))
}
