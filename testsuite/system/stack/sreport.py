"""What sreport says of a cluster. slurmdbd sums an hour up when it is over: what
is to be seen has to have been some hours ago."""
from .wait import wait_until


def utilization(stack, cluster, fields, earlier):
    """sreport's fields of the last three hours, as numbers, once they are summed
    up and the first is not 0.

    earlier  SQL that has what is to be seen been then
    """
    stack.mariadb.query(
        f"{earlier};UPDATE {cluster}_last_ran_table SET hourly_rollup = "
        "UNIX_TIMESTAMP() - 10800, daily_rollup = UNIX_TIMESTAMP() - 90000,"
        "monthly_rollup = UNIX_TIMESTAMP() - 90000")
    stack.slurmdbd.restart()

    def report():
        out = stack.first.run(
            "sreport", "-P", "-n", "cluster", "utilization",
            f"clusters={cluster}", "start=now-3hours", "end=now",
            f"format=Cluster,{','.join(fields)}")
        (name, *numbers), = (line.split("|") for line in out.splitlines())
        assert name == cluster
        return [int(number) for number in numbers]
    return wait_until(report, lambda numbers: numbers[0], 60,
                      f"the use of {cluster} is summed up")
