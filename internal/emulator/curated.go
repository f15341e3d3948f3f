package emulator

import (
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// Environments that nobody has made but every workspace of Azure has: they are not stored, only shown.

func curatedName(id arm.ID) (name string, ok bool) {
	in := id.Inner()
	if len(in) == 0 {
		return "", false
	}
	if r, is := id.Registry(); is {
		return in[0].Name, strings.EqualFold(r, arm.CuratedRegistry)
	}
	return in[0].Name, arm.IsCurated(in[0].Name)
}

func curatedVersion(_ *call, id arm.ID) document {
	name, ok := curatedName(id)
	if !ok || id.Name() == "" {
		return nil
	}
	if _, registry := id.Registry(); !registry && id.Name() != "1" {
		return nil
	}
	d, err := read(arm.CuratedDocument(id.Parent().String(), name, id.Name()))
	if err != nil {
		return nil
	}
	return d
}

func curatedVersions(c *call, id arm.ID) []document {
	up := id.Parent()
	name, ok := curatedName(id)
	if !ok {
		return nil
	}
	d, err := read(arm.CuratedDocument(up.String(), name, "1"))
	if err != nil {
		return nil
	}
	return []document{d}
}

func curatedContainer(_ *call, id arm.ID) document {
	if _, ok := curatedName(id); !ok {
		return nil
	}
	d := document{"properties": map[string]any{
		"latestVersion": "1", "nextVersion": "2", "description": nil, "isArchived": false, "tags": map[string]any{}, "properties": map[string]any{}, "provisioningState": "Succeeded",
	}}
	d.named(id)
	return d
}

func curatedContainers(c *call, id arm.ID) []document {
	if r, is := id.Registry(); is && !strings.EqualFold(r, arm.CuratedRegistry) {
		return nil
	}
	var out []document
	for _, name := range arm.Curated() {
		at := id
		at.Segments = append(append([]arm.Segment(nil), id.Segments[:len(id.Segments)-1]...), arm.Segment{Collection: arm.Environments, Name: name})
		out = append(out, curatedContainer(c, at))
	}
	return out
}
