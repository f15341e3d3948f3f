package emulator

import (
	"time"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/execution"
	"github.com/azureml-go/azureml/internal/wire"
)

// scaleOf is within what a cluster grows and shrinks.
func scaleOf(d document) execution.Scale {
	at := func(k string) any { return d.at("properties", "properties", "scaleSettings", k) }
	text, _ := at("nodeIdleTimeBeforeScaleDown").(string)
	idle, err := wire.ParseDuration(text)
	if err != nil {
		idle = 2 * time.Minute // checked when it came; documents of older versions may hold anything
	}
	return execution.Scale{Min: intOf(at("minNodeCount")), Max: intOf(at("maxNodeCount")), Idle: idle}
}

// showFleet says how large a cluster is. A node of this machine is there as soon as it is wanted, so that nothing is seen on its way.
func showFleet(d document, f execution.Fleet) {
	inner := d.object("properties", "properties")
	busy := 0
	for _, n := range f.Nodes {
		if n.Run != "" {
			busy++
		}
	}
	// More nodes than the cluster may have are those of jobs that ran when it was made smaller: they leave with their jobs.
	target := len(f.Nodes)
	if d.at("properties", "properties", "scaleSettings", "maxNodeCount") != nil {
		target = min(target, scaleOf(d).Max)
	}
	inner["currentNodeCount"], inner["targetNodeCount"] = len(f.Nodes), target
	inner["nodeStateCounts"] = map[string]any{"idleNodeCount": len(f.Nodes) - busy, "runningNodeCount": busy, "preparingNodeCount": 0, "unusableNodeCount": 0, "leavingNodeCount": 0, "preemptedNodeCount": 0}
	inner["allocationState"] = "Steady"
	if target < len(f.Nodes) {
		inner["allocationState"] = "Resizing"
	}
	inner["allocationStateTransitionTime"] = d.at("properties", "modifiedOn")
	if !f.Moved.IsZero() {
		inner["allocationStateTransitionTime"] = timestamp(f.Moved)
	}
	inner["errors"] = nil
}

// listNodes tells which nodes a cluster has and which runs are on them.
func listNodes(c *call) error {
	d, err := c.find(c.sc.Child(arm.Computes, c.v["compute"]), "compute", c.v["compute"])
	if err != nil {
		return err
	}
	if t := d.text("properties", "computeType"); t != "AmlCompute" {
		return arm.BadRequest("UserError", "ComputeListNodes with computeType %s is not supported.", t)
	}
	nodes := []any{}
	for _, n := range c.s.jobs.Fleet(c.sc, c.v["compute"], scaleOf(d)).Nodes {
		one := document{"nodeId": n.ID, "privateIpAddress": "127.0.0.1", "publicIpAddress": nil, "port": 0, "nodeState": "idle", "runId": nil}
		if n.Run != "" {
			one["nodeState"], one["runId"] = "running", n.Run
		}
		nodes = append(nodes, one)
	}
	return c.slice("nodes", nodes)
}
