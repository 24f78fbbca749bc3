from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class BillingRun(models.Model):
    """One walk through all that was due at an instant: what it made, and whether it ended."""

    as_of = models.DateTimeField(_("as of"))
    finalize = models.BooleanField(_("finalises"), default=False)
    started_at = models.DateTimeField(_("started at"))
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    drafted_count = models.PositiveIntegerField(_("drafted"), default=0)
    finalized_count = models.PositiveIntegerField(_("finalised"), default=0)
    failed_count = models.PositiveIntegerField(_("failed"), default=0)
    parked_count = models.PositiveIntegerField(_("parked"), default=0)

    class Meta:
        verbose_name = _("billing run")
        verbose_name_plural = _("billing runs")

    def __str__(self) -> str:
        return f"{self.as_of:%Y-%m-%d %H:%M}"


class BillingChunk(models.Model):
    """
    A part of a step of a run that is one worker's at a time (billing.runs.chunks). It says who does what, and nothing about
    the books: without it, or with it twice, they come out the same. Gone when the step is over.
    """

    class Step(models.TextChoices):
        EXTEND = "extend"
        REFRESH = "refresh"
        DRAFT = "draft"
        NUMBER = "number"

    run = models.ForeignKey(BillingRun, on_delete=models.CASCADE, related_name="chunks")
    step = models.CharField(max_length=16, choices=Step.choices)
    boundary_at = models.DateTimeField(null=True)  # what is drafted; null in other steps
    members = ArrayField(
        models.BigIntegerField()
    )  # ids of subscriptions (extend, draft) or of drafts (refresh, number), in order
    # The chunk whose numbers come before this one's. Null in other steps, and in the first.
    after_id = models.BigIntegerField(null=True)
    claimed_until = models.DateTimeField(null=True)  # by the database's clock; then somebody else may take it
    done_at = models.DateTimeField(null=True)
    drafted_count = models.PositiveIntegerField(default=0)
    finalized_count = models.PositiveIntegerField(default=0)
    troubled = models.JSONField(default=dict)  # external id of each subscription that failed, by its id

    class Meta:
        indexes = [models.Index(fields=["run", "id"], condition=Q(done_at=None), name="billing_chunk_open")]

    def __str__(self) -> str:
        return f"{self.step} {self.pk}"
