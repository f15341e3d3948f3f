package arm

import (
	"fmt"
	"net/url"
	"strings"
)

// URIKind says what an address is.
type URIKind int

const (
	URIUnknown   URIKind = iota
	URIAsset             // an asset of a workspace or registry, by version, by label or by name alone
	URIDatastore         // a path in a datastore
	URIJobOutput         // a job's output, with a path inside it
	URIBlob              // https://ACCOUNT.blob.core.windows.net/CONTAINER/PATH, or wasbs and abfss
	URIRun               // runs:/RUN/PATH, and azureml://artifacts/ExperimentRun/dcid.RUN/PATH
	URIArtifact          // azureml://artifacts/LocalUpload/CONTAINER/PATH
	URIWeb               // any other http(s) address
)

// URI is an address of data or of an asset, taken apart. Fields that the kind does not have are empty.
type URI struct {
	Kind  URIKind
	Scope Scope // the workspace that a long form names; fields may be empty
	GUID  string

	Registry   string
	Collection string // of an asset; empty when the short form does not say
	Name       string
	Version    string
	Label      string

	Datastore string
	Job       string // also the run of URIRun
	Output    string
	Account   string
	Container string
	Path      string // without a slash at its start; a slash at its end is kept
	URL       string // of URIWeb
}

// ParseURI takes an address apart: every form that azure-ai-ml, the YAML files and the service itself write.
// It does not look anything up.
func ParseURI(s string) (URI, error) {
	bad := func(why string) (URI, error) { return URI{}, fmt.Errorf("address %q: %s", s, why) }
	if s == "" {
		return bad("it is empty")
	}
	low := strings.ToLower(s)
	switch {
	case strings.HasPrefix(low, "azureml://"):
		return parseAzureml(s, bad)
	case strings.HasPrefix(low, "azureml:/subscriptions/"), strings.HasPrefix(low, "/subscriptions/"), strings.HasPrefix(low, "subscriptions/"):
		return parseAssetID(s)
	case strings.HasPrefix(low, "azureml:"):
		return parseShort(s[len("azureml:"):], bad)
	case strings.HasPrefix(low, "runs:/"):
		run, path, _ := strings.Cut(strings.TrimLeft(s[len("runs:/"):], "/"), "/")
		if run == "" {
			return bad("a run is missing")
		}
		return URI{Kind: URIRun, Job: run, Path: path}, nil
	case strings.HasPrefix(low, "http://"), strings.HasPrefix(low, "https://"), strings.HasPrefix(low, "wasbs://"), strings.HasPrefix(low, "wasb://"), strings.HasPrefix(low, "abfss://"), strings.HasPrefix(low, "abfs://"):
		return parseURL(s, bad)
	}
	return bad("not an azureml:, runs:, https: or resource id form")
}

func parseShort(s string, bad func(string) (URI, error)) (URI, error) {
	u := URI{Kind: URIAsset}
	switch {
	case strings.Contains(s, ":"):
		u.Name, u.Version, _ = strings.Cut(s, ":")
		if u.Version == "" {
			return bad("the version is empty")
		}
	case strings.Contains(s, "@"):
		u.Name, u.Label, _ = strings.Cut(s, "@")
		if u.Label == "" {
			return bad("the label is empty")
		}
	default:
		u.Name = s
	}
	if u.Name == "" || strings.Contains(u.Name, "/") {
		return bad("not an asset's name")
	}
	return u, nil
}

func parseAssetID(s string) (URI, error) {
	id, err := ParseID(s)
	if err != nil {
		return URI{}, err
	}
	u := URI{Kind: URIAsset}
	u.Scope, _ = id.Scope()
	u.Registry, _ = id.Registry()
	in := id.Inner()
	if len(in) == 0 || in[0].Name == "" || u.Scope.Workspace == "" && u.Registry == "" {
		return URI{}, fmt.Errorf("resource id %q: it names nothing inside a workspace or registry", s)
	}
	u.Collection, u.Name = in[0].Collection, in[0].Name
	if len(in) > 1 {
		switch in[1].Collection {
		case Versions:
			u.Version = in[1].Name
		case Labels:
			u.Label = in[1].Name
		}
	}
	return u, nil
}

func parseAzureml(s string, bad func(string) (URI, error)) (URI, error) {
	p := strings.Split(s[len("azureml://"):], "/")
	var u URI
	next := func() string { // the next segment, "" at the end
		if len(p) == 0 {
			return ""
		}
		x := p[0]
		p = p[1:]
		return x
	}
	for len(p) > 0 {
		word := next()
		switch strings.ToLower(word) {
		case "subscriptions":
			u.Scope.Subscription = next()
		case "resourcegroups":
			u.Scope.ResourceGroup = next()
		case "providers", "locations":
			next()
		case "workspaces":
			u.Scope.Workspace = next()
			if u.Scope.Subscription == "" && u.Scope.ResourceGroup == "" { // locations/L/workspaces/GUID
				u.GUID, u.Scope.Workspace = u.Scope.Workspace, ""
			}
		case "registries":
			u.Registry = next()
		case "datastores":
			u.Kind, u.Datastore = URIDatastore, next()
			if u.Datastore == "" {
				return bad("a datastore is missing")
			}
			if len(p) > 0 && strings.EqualFold(p[0], "paths") {
				next()
			}
			u.Path = strings.Join(p, "/")
			return u, nil
		case "jobs":
			u.Kind, u.Job = URIJobOutput, next()
			if !strings.EqualFold(next(), "outputs") {
				return bad("azureml://jobs/JOB/outputs/OUTPUT expected")
			}
			u.Output = next()
			if u.Job == "" || u.Output == "" {
				return bad("azureml://jobs/JOB/outputs/OUTPUT expected")
			}
			if len(p) > 0 && strings.EqualFold(p[0], "paths") {
				next()
			}
			u.Path = strings.Join(p, "/")
			return u, nil
		case "artifacts":
			origin := next()
			container := next()
			u.Path = strings.Join(p, "/")
			if run, ok := strings.CutPrefix(container, "dcid."); ok && strings.EqualFold(origin, "ExperimentRun") && run != "" {
				u.Kind, u.Job = URIRun, run
				return u, nil
			}
			if origin == "" || container == "" {
				return bad("azureml://artifacts/ORIGIN/CONTAINER/… expected")
			}
			u.Kind, u.Container, u.Path = URIArtifact, origin, strings.TrimSuffix(container+"/"+u.Path, "/")
			return u, nil
		case "":
			return bad("an empty segment")
		default:
			u.Kind, u.Collection, u.Name = URIAsset, Canonical(word), next()
			if u.Name == "" {
				return bad("an asset's name is missing")
			}
			switch strings.ToLower(next()) {
			case "versions":
				u.Version = strings.Join(p, "/")
			case "labels":
				u.Label = strings.Join(p, "/")
			case "":
				return u, nil
			default:
				return bad("versions/V or labels/L expected after the asset's name")
			}
			if u.Version == "" && u.Label == "" {
				return bad("the version is empty")
			}
			return u, nil
		}
	}
	return bad("it names neither an asset, a datastore nor a job's output")
}

func parseURL(s string, bad func(string) (URI, error)) (URI, error) {
	v, err := url.Parse(s)
	if err != nil {
		return bad("it is no URL")
	}
	host := strings.ToLower(v.Hostname())
	path := strings.TrimPrefix(v.Path, "/")
	switch v.Scheme {
	case "wasb", "wasbs", "abfs", "abfss":
		account, _, ok := strings.Cut(host, ".")
		if !ok || v.User.Username() == "" {
			return bad("CONTAINER@ACCOUNT expected")
		}
		return URI{Kind: URIBlob, Account: account, Container: v.User.Username(), Path: path}, nil
	}
	for _, suffix := range []string{"." + BlobSuffix, ".dfs." + StorageSuffix, ".file." + StorageSuffix} {
		if account, ok := strings.CutSuffix(host, suffix); ok && account != "" && !strings.Contains(account, ".") {
			container, rest, _ := strings.Cut(path, "/")
			if container == "" {
				return bad("a container is missing")
			}
			return URI{Kind: URIBlob, Account: account, Container: container, Path: rest, URL: s}, nil
		}
	}
	if host == "" {
		return bad("a host is missing")
	}
	return URI{Kind: URIWeb, URL: s}, nil
}
