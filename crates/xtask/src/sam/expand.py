# Prints what AWS makes of a template with `Transform: AWS::Serverless`: cfn-lint finds there what it misses in the template.
# Arguments: the template, then NAME=VALUE for parameters.
import json
import sys

from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator


class NoManagedPolicies:
    # AWS would be asked for their names; this template uses none
    def load(self):
        return {}


with open(sys.argv[1], encoding="utf-8") as file:
    template = yaml_parse(file.read())
for resource in template["Resources"].values():
    # a deployment puts the bundle there and says so
    if "CodeUri" in resource.get("Properties", {}):
        resource["Properties"]["CodeUri"] = "s3://bucket/key"
parameters = dict(argument.split("=", 1) for argument in sys.argv[2:])
print(json.dumps(Translator(NoManagedPolicies(), Parser()).translate(template, parameter_values=parameters), indent=1))
