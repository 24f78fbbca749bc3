"""
What OpenMeter's clients call, in the shapes that they know, under /openmeter/api/v1/.

Events in and meter queries have one shape in both APIs. Lists of events and meters, and meters themselves, have two, and
cannot share a path; here they are turned into the other. Nothing is decided here.
"""
