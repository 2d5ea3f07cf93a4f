"""The wire format of Pulumi: property values, URNs and gRPC, for engines and for what stands in for a provider."""
