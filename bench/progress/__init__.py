"""What the progress of a job costs in DynamoDB's units, and how fast it goes."""
