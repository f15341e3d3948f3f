package wire

import "strings"

// The names and versions that azure-ai-ml gives to what has none, hash by hash.

// AnonymousEnvironment is the name of every environment that was written inline.
const AnonymousEnvironment = "CliV2AnonymousEnvironment"

// AnonymousComponent is the name of every component that was written inline.
const AnonymousComponent = "azureml_anonymous"

// AnonymousSource is what an anonymous environment is made of. Either Image or BuildHash is set.
type AnonymousSource struct {
	Image string
	// Conda is the text sent as condaFile.
	Conda string
	// Inference is PyYAML's dump of the Python model of the inference config; see InferenceDump.
	Inference string
	// BuildHash is the object hash of the build context.
	BuildHash string
	// Dockerfile is its dockerfile_path, "" when none was written.
	Dockerfile string
}

// AnonymousEnvironmentVersion is the version of an anonymous environment.
func AnonymousEnvironmentVersion(s AnonymousSource) string {
	if s.BuildHash != "" {
		if s.Dockerfile == "" {
			return HashText(HashText(s.BuildHash))
		}
		return HashText(between(HashText(s.BuildHash), HashText(s.Dockerfile)))
	}
	h := HashText(s.Image)
	if s.Inference != "" {
		h = between(h, HashText(s.Inference))
	}
	if s.Conda != "" {
		h = between(h, HashText(s.Conda))
	}
	return HashText(h)
}

// between puts sep between any two characters of s: Python's sep.join(s), which the reference calls on a string.
func between(sep, s string) string {
	if s == "" {
		return ""
	}
	parts := make([]string, 0, len(s))
	for _, r := range s {
		parts = append(parts, string(r))
	}
	return strings.Join(parts, sep)
}

// AnonymousModelName is the name of a model that was written inline, by the object hash of its files; its version is 1.
func AnonymousModelName(objectHash string) string { return HashText(objectHash) }

// AnonymousComponentVersion is the version of an anonymous component: HashID of its specification without _source, name, id
// and version.
func AnonymousComponentVersion(spec map[string]any) (string, error) {
	return HashID(without(spec, "_source", "name", "id", "version"))
}

// ComponentHash is the property client_component_hash of a named component: as AnonymousComponentVersion, with the name.
func ComponentHash(spec map[string]any) (string, error) {
	return HashID(without(spec, "_source", "version"))
}

func without(m map[string]any, keys ...string) map[string]any {
	c := make(map[string]any, len(m))
	for k, v := range m {
		c[k] = v
	}
	for _, k := range keys {
		delete(c, k)
	}
	return c
}

// A Route is one of the three of an inference config.
type Route struct {
	Path string
	Port int
}

// InferenceDump is PyYAML's dump of the Python model of an inference config: the text that AnonymousSource.Inference wants.
func InferenceDump(liveness, readiness, scoring Route) (string, error) {
	const python = "!!python/object:azure.ai.ml._restclient.arm_ml_service.models._models."
	var b strings.Builder
	b.WriteString(python + "InferenceContainerProperties\n_data:\n")
	for _, r := range []struct {
		name string
		Route
	}{{"livenessRoute", liveness}, {"readinessRoute", readiness}, {"scoringRoute", scoring}} {
		text, err := EmitYAML(map[string]any{"path": r.Path, "port": r.Port})
		if err != nil {
			return "", err
		}
		b.WriteString("  " + r.name + ": " + python + "Route\n    _data:\n")
		for line := range strings.Lines(string(text)) {
			b.WriteString("      " + line)
		}
	}
	return b.String(), nil
}
