package emulator

import (
	"slices"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

var (
	dataTypes  = []string{"uri_file", "uri_folder", "mltable"}
	modelTypes = []string{"custom_model", "mlflow_model", "triton_model"}
)

// storageURI refuses an address that leads nowhere and writes short datastore forms out, as the service does. One that the version has already is not asked about again.
func (c *call) storageURI(ch *change, name string) (string, error) {
	field, uri := "properties."+name, ch.doc.text("properties", name)
	if ch.old != nil && ch.old.text("properties", name) == uri {
		return uri, nil
	}
	u, err := arm.ParseURI(uri)
	if err != nil {
		return "", arm.Invalid(field, "%s", err)
	}
	switch u.Kind {
	case arm.URIDatastore:
		sc := c.sc
		if u.Scope.Workspace != "" {
			sc = u.Scope
		}
		if sc.Workspace == "" {
			return "", arm.Invalid(field, "The address %q names a datastore of no workspace.", uri)
		}
		if _, err := c.find(sc.Child(arm.Datastores, u.Datastore), "datastore", u.Datastore); err != nil {
			return "", err
		}
		return sc.DatastoreURI(u.Datastore, u.Path), nil
	case arm.URIJobOutput, arm.URIRun:
		if c.sc.Workspace != "" {
			loc, err := c.s.resolver.Resolve(c.ctx(), c.sc, uri, arm.Data)
			if err != nil {
				return "", err
			}
			if name == "modelUri" && ch.doc.props()["jobName"] == nil {
				ch.doc.props()["jobName"] = u.Job
			}
			return c.longURI(loc)
		}
	case arm.URIAsset:
		return "", arm.Invalid(field, "The address %q is an asset's, not a place in storage.", uri)
	}
	return uri, nil
}

func checkData(c *call, ch *change) error {
	p := ch.doc.props()
	t, err := ch.doc.oneOf("properties.dataType", dataTypes...)
	if err != nil {
		return err
	}
	p["dataType"] = t
	if err := ch.doc.missing("properties.dataUri"); err != nil {
		return err
	}
	uri, err := c.storageURI(ch, "dataUri")
	if err != nil {
		return err
	}
	p["dataUri"] = uri
	return nil
}

func checkModel(c *call, ch *change) error {
	p := ch.doc.props()
	if err := ch.doc.missing("properties.modelUri"); err != nil {
		return err
	}
	if p["modelType"] == nil || p["modelType"] == "" {
		p["modelType"] = modelTypes[0]
	}
	t, err := ch.doc.oneOf("properties.modelType", modelTypes...)
	if err != nil {
		return err
	}
	p["modelType"] = t
	if p["flavors"] == nil {
		p["flavors"] = map[string]any{}
	}
	uri, err := c.storageURI(ch, "modelUri")
	if err != nil {
		return err
	}
	p["modelUri"] = uri
	return nil
}

func checkCode(c *call, ch *change) error {
	if err := ch.doc.missing("properties.codeUri"); err != nil {
		return err
	}
	uri, err := c.storageURI(ch, "codeUri")
	if err != nil {
		return err
	}
	ch.doc.props()["codeUri"] = uri
	return nil
}

func checkEnvironment(c *call, ch *change) error {
	p := ch.doc.props()
	name := ch.id.Parent().Name()
	if c.sc.Workspace != "" && strings.HasPrefix(strings.ToLower(name), "azureml-") {
		return arm.BadRequest("UserError", "Environment names that begin with AzureML are reserved: %q.", name)
	}
	image, build := ch.doc.text("properties", "image"), ch.doc.text("properties", "build", "contextUri")
	switch {
	case image == "" && build == "" && nothing(p["build"]):
		return arm.Invalid("properties.image", "An environment needs an image or a build context.")
	case image == "" && build == "":
		return arm.Invalid("properties.build.contextUri", "The field properties.build.contextUri is required.")
	case image != "" && build != "":
		return arm.Invalid("properties.build", "An environment has an image or a build context, not both.")
	case build != "" && !nothing(p["condaFile"]):
		return arm.Invalid("properties.condaFile", "A conda file goes with an image, not with a build context.")
	}
	if build != "" {
		if _, err := arm.ParseURI(build); err != nil {
			return arm.Invalid("properties.build.contextUri", "%s", err)
		}
		if b := ch.doc.object("properties", "build"); b["dockerfilePath"] == nil {
			b["dockerfilePath"] = "Dockerfile"
		}
	}
	if p["osType"] == nil {
		p["osType"] = "Linux"
	}
	if _, err := ch.doc.oneOf("properties.osType", "Linux", "Windows"); err != nil {
		return err
	}
	p["environmentType"] = "UserCreated"
	return nil
}

var componentTypes = []string{"command", "parallel", "pipeline", "spark", "import", "sweep", "automl", "flow_parallel", "promptflow_parallel", "data_transfer", "scope", "hemera", "flow"}

func checkComponent(c *call, ch *change) error {
	spec := ch.doc.object("properties", "componentSpec")
	if spec == nil {
		return arm.Invalid("properties.componentSpec", "The field properties.componentSpec is required and must be an object.")
	}
	typ, _ := spec["type"].(string)
	if typ == "" {
		return arm.Invalid("properties.componentSpec.type", "The field properties.componentSpec.type is required: one of %s.", strings.Join(componentTypes, ", "))
	}
	if base, _, _ := strings.Cut(strings.ToLower(typ), "@"); !slices.Contains(componentTypes, base) {
		return arm.Invalid("properties.componentSpec.type", "The component type %q is unknown: it must be one of %s.", typ, strings.Join(componentTypes, ", "))
	}
	if typ == "command" && nothing(spec["command"]) {
		return arm.Invalid("properties.componentSpec.command", "A command component needs a command.")
	}
	if err := takeSource(c, spec); err != nil {
		return err
	}
	if typ == "pipeline" && nothing(spec["jobs"]) {
		return arm.Invalid("properties.componentSpec.jobs", "A pipeline component needs jobs.")
	}
	if c.sc.Workspace != "" {
		for field, kind := range map[string]string{"code": arm.Codes, "environment": arm.Environments} {
			ref, _ := spec[field].(string)
			if ref == "" {
				continue
			}
			if u, err := arm.ParseURI(ref); err != nil || u.Kind != arm.URIAsset {
				continue // an address of code, which needs no asset
			}
			if _, err := c.s.resolver.Resolve(c.ctx(), c.sc, ref, kind); err != nil {
				return err
			}
		}
	}
	spec["name"], spec["version"] = ch.id.Parent().Name(), ch.id.Name()
	return nil
}

func checkFeatureset(c *call, ch *change) error {
	if err := ch.doc.missing("properties.entities", "properties.specification.path"); err != nil {
		return err
	}
	entities, ok := ch.doc.at("properties", "entities").([]any)
	if !ok || len(entities) == 0 {
		return arm.Invalid("properties.entities", "A feature set names at least one entity.")
	}
	for _, e := range entities {
		s, _ := e.(string)
		if _, err := c.s.resolver.Resolve(c.ctx(), c.sc, s, arm.FeatureEntities); err != nil {
			return err
		}
	}
	p := ch.doc.props()
	if p["stage"] == nil {
		p["stage"] = "Development"
	}
	if p["materializationSettings"] == nil {
		p["materializationSettings"] = map[string]any{"storeType": "None"}
	}
	return nil
}

func checkEntity(_ *call, ch *change) error {
	columns, ok := ch.doc.at("properties", "indexColumns").([]any)
	if !ok || len(columns) == 0 {
		return arm.Invalid("properties.indexColumns", "A feature store entity has at least one index column.")
	}
	for _, v := range columns {
		m, _ := v.(map[string]any)
		if nothing(m["columnName"]) || nothing(m["dataType"]) {
			return arm.Invalid("properties.indexColumns", "An index column has a columnName and a dataType.")
		}
	}
	if p := ch.doc.props(); p["stage"] == nil {
		p["stage"] = "Development"
	}
	return nil
}

// byTags is the parameter $tags of data: k or k=v, several with commas.
func byTags(c *call) func(document) (bool, error) {
	q := c.query("$tags")
	if q == "" {
		q = c.query("tags")
	}
	return func(d document) (bool, error) { return has(d.object("properties", "tags"), q), nil }
}

// has says whether a map holds what "k=v,k2" asks.
func has(m map[string]any, q string) bool {
	for part := range strings.SplitSeq(q, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		k, v, valued := strings.Cut(part, "=")
		got, ok := m[k]
		if !ok || valued && got != v {
			return false
		}
	}
	return true
}

func byVersionName(c *call) func(document) (bool, error) {
	version, text := c.query("version"), c.query("description")
	tags := byTags(c)
	return func(d document) (bool, error) {
		if version != "" && d.text("name") != version || !strings.Contains(d.text("properties", "description"), text) {
			return false, nil
		}
		if s := c.query("stage"); s != "" && !strings.EqualFold(s, d.text("properties", "stage")) {
			return false, nil
		}
		return tags(d)
	}
}

func byModel(c *call) func(document) (bool, error) {
	rest := byVersionName(c)
	props := c.query("properties")
	return func(d document) (bool, error) {
		if !has(d.object("properties", "properties"), props) {
			return false, nil
		}
		return rest(d)
	}
}
