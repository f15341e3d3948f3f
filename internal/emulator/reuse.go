package emulator

import (
	"net/http"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// reuseRoutes are the local workspace's own: Azure says nothing before a pipeline runs. Discovery names their address as "local".
func reuseRoutes() []route {
	return []route{
		{plane: planeAPI, method: http.MethodPost, pattern: "/local" + pW + "/reuse", kind: "workspaces/jobs", operation: "Local_Reuse", body: true, handle: planReuse},
	}
}

// planReuse answers {"steps": […]} for {"properties": …} of a pipeline job: which of its steps would be reused, of which run, and why the others run. It changes nothing.
func planReuse(c *call) error {
	d, err := c.document()
	if err != nil {
		return err
	}
	p := d.object("properties")
	if p == nil {
		return arm.Invalid("properties", "The field properties is required and must be an object.")
	}
	if _, err := d.oneOf("properties.jobType", "Pipeline"); err != nil {
		return err
	}
	props, err := encode(p)
	if err != nil {
		return err
	}
	steps, err := c.s.jobs.Plan(c.ctx(), c.sc, props)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, document{"steps": steps})
}
