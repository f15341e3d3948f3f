package emulator

import (
	"database/sql"
	"net/http"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/store"
)

// size is a virtual machine size that documents may name. A local workspace runs all of them on the host.
type size struct {
	name, family string
	cores, gpus  int
	memoryGB     float64
	diskMB       int
}

var sizes = []size{
	{"Standard_DS1_v2", "standardDSv2Family", 1, 0, 3.5, 7168},
	{"Standard_DS2_v2", "standardDSv2Family", 2, 0, 7, 14336},
	{"Standard_DS3_v2", "standardDSv2Family", 4, 0, 14, 28672},
	{"Standard_DS4_v2", "standardDSv2Family", 8, 0, 28, 57344},
	{"Standard_DS5_v2", "standardDSv2Family", 16, 0, 56, 114688},
	{"Standard_DS11_v2", "standardDSv2Family", 2, 0, 14, 28672},
	{"Standard_D2s_v3", "standardDSv3Family", 2, 0, 8, 16384},
	{"Standard_D4s_v3", "standardDSv3Family", 4, 0, 16, 32768},
	{"Standard_D8s_v3", "standardDSv3Family", 8, 0, 32, 65536},
	{"Standard_E4s_v3", "standardESv3Family", 4, 0, 32, 65536},
	{"Standard_F4s_v2", "standardFSv2Family", 4, 0, 8, 32768},
	{"Standard_NC6s_v3", "standardNCSv3Family", 6, 1, 112, 344064},
	{"Standard_NC24ads_A100_v4", "StandardNCADSA100v4Family", 24, 1, 220, 65536},
}

func listSizes(c *call) error {
	value := []any{}
	for _, z := range sizes {
		value = append(value, document{
			"name": z.name, "family": z.family, "vCPUs": z.cores, "gpus": z.gpus, "osVhdSizeMB": 1047552, "maxResourceVolumeMB": z.diskMB, "memoryGB": z.memoryGB,
			"lowPriorityCapable": true, "premiumIO": true, "supportedComputeTypes": []string{"AmlCompute", "ComputeInstance"},
		})
	}
	return c.reply(http.StatusOK, document{"value": value})
}

// clusterLimit is how many clusters Azure allows in a region by default.
const clusterLimit = 500

// listUsages counts the clusters of the subscription.
func listUsages(c *call) error {
	n := 0
	prefix := strings.ToLower("/subscriptions/" + c.v["sub"] + "/")
	err := c.s.db.View(c.ctx(), func(tx *sql.Tx) error {
		all, err := store.List(tx, store.Query{Type: typeCompute})
		for _, d := range all {
			if strings.HasPrefix(strings.ToLower(d.ID), prefix) {
				n++
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	id := "/subscriptions/" + c.v["sub"] + "/providers/" + arm.Provider + "/locations/" + c.v["location"] + "/usages/TotalClusters"
	return c.slice("value", []any{document{
		"id": id, "type": arm.Provider + "/usages", "unit": "Count", "currentValue": n, "limit": clusterLimit,
		"name": map[string]any{"value": "TotalClusters", "localizedValue": "Total Clusters"},
	}})
}

func quotaAt(c *call) string {
	return "/subscriptions/" + c.v["sub"] + "/providers/" + arm.Provider + "/locations/" + c.v["location"] + "/quotas"
}

// listQuotas gives the quotas that were set; none is enforced.
func listQuotas(c *call) error {
	d, err := c.s.get(c.ctx(), quotaAt(c)+"/all")
	if err != nil {
		return emptyList(c)
	}
	value, _ := d["value"].([]any)
	return c.slice("value", value)
}

func updateQuotas(c *call) error {
	body, err := c.document()
	if err != nil {
		return err
	}
	list, ok := body["value"].([]any)
	if !ok {
		return arm.Invalid("value", "The field value is required and must be a list.")
	}
	out := []any{}
	for i, v := range list {
		m, ok := v.(map[string]any)
		if !ok || m["id"] == nil {
			return arm.Invalid("value", "Item %d of value needs an id.", i)
		}
		m["type"] = arm.Provider + "/quotas"
		m["status"] = "Success"
		out = append(out, m)
	}
	kept := make([]any, len(out))
	for i, v := range out {
		m := copyOf(v).(map[string]any)
		delete(m, "status")
		kept[i] = m
	}
	b, err := encode(document{"value": kept})
	if err != nil {
		return err
	}
	if err := c.s.db.Update(c.ctx(), func(tx *sql.Tx) error {
		_, err := store.Put(tx, &store.Document{ID: quotaAt(c) + "/all", Type: "quotas", Body: b})
		return err
	}); err != nil {
		return err
	}
	return c.reply(http.StatusOK, document{"value": out})
}
