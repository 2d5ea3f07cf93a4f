import * as pulumi from "@pulumi/pulumi";
import * as pypiserver from "@pulumi/pypiserver";

// How many subnets there are decides what is made, so a list of them is a list here, and each of its items an output.
const network = new pulumi.StackReference(new pulumi.Config().require("networkStack"));
function subnetIds(name: string): pulumi.Output<string>[] {
    const ids = network.requireOutput(name) as pulumi.Output<string[]>;
    return [ids[0], ids[1]];
}

const index = new pypiserver.PypiServer("wheels", {
    profile: "heavy",
    instanceSubnetIds: subnetIds("privateSubnetIds"),
    balancerSubnetIds: subnetIds("publicSubnetIds"),
    zoneId: network.requireOutput("zoneId"),
    alarmEmails: ["platform@example.com"],
    scheduledScaling: [
        { name: "ci-peak", schedule: "cron(0 8 ? * MON-FRI *)", taskMinCount: 10 },
        { name: "ci-rest", schedule: "cron(0 10 ? * MON-FRI *)", taskMinCount: 3 },
    ],
});

export const url = index.url;
export const password = index.password;
export const readPassword = index.readPassword;
export const tasks = index.capacity.taskMinCount;
