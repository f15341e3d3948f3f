package emulator

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/execution"
)

// reuseRoutes are the local workspace's own: Azure says nothing before a pipeline runs. Discovery names their address as "local".
func reuseRoutes() []route {
	return []route{
		{plane: planeAPI, method: http.MethodPost, pattern: "/local" + pW + "/reuse", kind: "workspaces/jobs", operation: "Local_Reuse", body: true, handle: planReuse},
	}
}

// planReuse answers {"problems": […], "steps": […]} for {"properties": …, "planned": […]} of a job: what would be refused, and which of a pipeline's steps would be reused, of which
// run, and why the others run. planned are ids of what would be registered before; code that would be uploaded is "planned:HASH". It changes nothing.
func planReuse(c *call) error {
	d, err := c.document()
	if err != nil {
		return err
	}
	p := d.object("properties")
	if p == nil {
		return arm.Invalid("properties", "The field properties is required and must be an object.")
	}
	props, err := encode(p)
	if err != nil {
		return err
	}
	planned := map[string]bool{}
	if list, ok := d["planned"].([]any); ok {
		for _, id := range list {
			planned[strings.ToLower(fmt.Sprint(id))] = true
		}
	}
	problems := []any{}
	for _, f := range c.s.jobs.PlanFaults(c.ctx(), c.sc, props, func(text string) bool {
		text = strings.TrimPrefix(strings.ToLower(text), "azureml:")
		return strings.HasPrefix(text, "planned:") || planned[text]
	}) {
		problems = append(problems, map[string]any{"field": f.Target, "message": f.Message})
	}
	steps := []execution.StepPlan{}
	if len(problems) == 0 && document(p).text("jobType") == "Pipeline" {
		if steps, err = c.s.jobs.Plan(c.ctx(), c.sc, props); err != nil {
			return err
		}
	}
	return c.reply(http.StatusOK, document{"steps": steps, "problems": problems})
}
