package execution

import (
	"fmt"
	"os/exec"
	"strconv"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// ray is what a distribution says of a Ray cluster.
type ray struct {
	Port                     int    `json:"port"`
	Address                  string `json:"address"`
	IncludeDashboard         flag   `json:"includeDashboard"`
	DashboardPort            int    `json:"dashboardPort"`
	HeadNodeAdditionalArgs   string `json:"headNodeAdditionalArgs"`
	WorkerNodeAdditionalArgs string `json:"workerNodeAdditionalArgs"`
}

// checkRay refuses what cannot be set up.
func (d *distribution) checkRay() *arm.Error {
	const at = "properties.distribution"
	if _, err := exec.LookPath("ray"); err != nil {
		return arm.Invalid(at+".distributionType", "a distribution of type Ray needs the program ray, which is not in PATH: pip install ray brings it")
	}
	if d.Address != "" {
		return arm.Invalid(at+".address", "the local workspace starts a Ray cluster of its own and joins no other, not %q", d.Address)
	}
	for _, f := range []struct{ field, args string }{{"headNodeAdditionalArgs", d.HeadNodeAdditionalArgs}, {"workerNodeAdditionalArgs", d.WorkerNodeAdditionalArgs}} {
		if _, err := split(f.args); err != nil {
			return arm.Invalid(at+"."+f.field, "%v", err)
		}
	}
	return nil
}

// rayWorkers plans a cluster of nodes on loopback: a head that runs the job's
// command when all nodes are there, and nodes that serve it until it has ended.
func rayWorkers(d *distribution, nodes int) ([]worker, error) {
	ports, err := freePorts(2)
	if err != nil {
		return nil, err
	}
	port, board := ports[0], ports[1]
	if d.Port > 0 {
		port = d.Port
	}
	if d.DashboardPort > 0 {
		board = d.DashboardPort
	}
	address := "127.0.0.1:" + strconv.Itoa(port)
	env := []string{"RAY_ADDRESS=" + address, "RAY_USAGE_STATS_ENABLED=0", "MASTER_ADDR=127.0.0.1", "MASTER_PORT=" + strconv.Itoa(port), "AZ_BATCHAI_MPI_MASTER_NODE=127.0.0.1"}
	var out []worker
	for i := range nodes {
		w := worker{log: fmt.Sprintf("user_logs/std_log_process_%02d.txt", i), node: i, env: append(env[:len(env):len(env)], "NODE_RANK="+strconv.Itoa(i))}
		start := []string{"ray", "start", "--block", "--node-ip-address=127.0.0.1", "--disable-usage-stats"}
		more := d.HeadNodeAdditionalArgs
		if i == 0 {
			start = append(start, "--head", "--port="+strconv.Itoa(port), "--include-dashboard="+strconv.FormatBool(bool(d.IncludeDashboard)), "--dashboard-host=127.0.0.1", "--dashboard-port="+strconv.Itoa(board))
		} else {
			start = append(start, "--address="+address)
			more = d.WorkerNodeAdditionalArgs
		}
		words, err := split(more)
		if err != nil {
			return nil, err
		}
		for _, a := range words {
			if a != "--head" { // some say it again
				start = append(start, a)
			}
		}
		for i, a := range start {
			start[i] = quoted(a)
		}
		line := strings.Join(start, " ")
		if i == 0 {
			w.wrap = func(command string) string { return rayHead(line, command, address, nodes) }
		} else {
			w.aside = true
			w.wrap = func(string) string { return "unset RAY_ADDRESS\n" + rayUp(address, 1) + "exec " + line }
		}
		out = append(out, w)
	}
	return out, nil
}

// rayUp waits for so many nodes.
func rayUp(address string, nodes int) string {
	return fmt.Sprintf("tries=0\nuntil [ \"$(ray status --address=%s 2>/dev/null | grep -c ' node_')\" -ge %d ]; do\n  tries=$((tries+1))\n"+
		"  if [ $tries -gt 240 ]; then echo 'local workspace: the Ray cluster did not come up' >&2; exit 1; fi\n  sleep 0.5\ndone\n", address, nodes)
}

// rayHead starts the head, waits for the other nodes, and runs the command. The
// head's processes end with the shell.
func rayHead(start, command, address string, nodes int) string {
	return "(unset RAY_ADDRESS; exec " + start + ") >&2 &\nhead=$!\n" + rayUp(address, nodes) + "kill -0 $head || exit 1\n(\n" + command + "\n)\n"
}
