package emulator

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

func featureRoutes() []route {
	const typ = "workspaces/featuresets/versions"
	v := pW + "/featuresets/{name}/versions/{version}"
	return []route{
		read1(v+"/features", typ+"/features", "Features_List", sinceFeatures, listFeatures),
		read1(v+"/features/{feature}", typ+"/features", "Features_Get", sinceFeatures, getFeature),
		post(v+"/backfill", typ, "FeaturesetVersions_Backfill", sinceFeatures, styleLocation, func(*call) error {
			return arm.BadRequest("MaterializationNotSupported", "Materialisation runs on Spark, which a local workspace does not have.")
		}),
	}
}

// features reads the features of a set out of the specification that its client sent along.
func (c *call) features() ([]document, error) {
	d, err := c.find(c.sc.AssetID(arm.Featuresets, c.v["name"], c.v["version"]), "feature set version", c.v["name"]+":"+c.v["version"])
	if err != nil {
		return nil, err
	}
	text := wordOf(d.object("properties", "properties")["featuresetProperties"])
	var spec struct {
		Features []struct {
			FeatureName, Name string // as azure-ai-ml writes it, and as its YAML does
			Description       string
			Type, DataType    string
			Tags              map[string]any
		}
	}
	if text != "" && text != "<nil>" {
		if err := json.Unmarshal([]byte(text), &spec); err != nil {
			return nil, arm.Invalid("properties.properties.featuresetProperties", "The feature set's specification cannot be read: %s", err)
		}
	}
	var out []document
	for _, f := range spec.Features {
		if f.Name == "" {
			f.Name = f.FeatureName
		}
		t := f.DataType
		if t == "" {
			t = f.Type
		}
		id, err := arm.ParseID(d.text("id") + "/features/" + f.Name)
		if err != nil {
			return nil, err
		}
		if f.Tags == nil {
			f.Tags = map[string]any{}
		}
		x := document{"properties": map[string]any{"featureName": f.Name, "dataType": featureType(t), "description": f.Description, "tags": f.Tags, "properties": map[string]any{}}}
		x.named(id)
		x["systemData"] = d["systemData"]
		out = append(out, x)
	}
	return out, nil
}

func featureType(t string) string {
	for _, k := range []string{"String", "Integer", "Long", "Float", "Double", "Binary", "Datetime", "Boolean"} {
		if strings.EqualFold(k, t) {
			return k
		}
	}
	return "String"
}

func listFeatures(c *call) error {
	all, err := c.features()
	if err != nil {
		return err
	}
	name, text, tags := c.query("featureName"), c.query("description"), c.query("tags")
	value := []any{}
	for _, f := range all {
		if (name == "" || f.text("name") == name) && strings.Contains(f.text("properties", "description"), text) && has(f.object("properties", "tags"), tags) {
			value = append(value, f)
		}
	}
	return c.slice("value", value)
}

func getFeature(c *call) error {
	all, err := c.features()
	if err != nil {
		return err
	}
	for _, f := range all {
		if strings.EqualFold(f.text("name"), c.v["feature"]) {
			return c.reply(http.StatusOK, f)
		}
	}
	return arm.NotFound("feature", c.v["feature"])
}
